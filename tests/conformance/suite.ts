/**
 * What must hold on every runtime, as plain ECMAScript without any import from outside: the module to check is an
 * argument, so that the same checks run in Deno, Bun and Node, and bundled in Workers and browsers.
 */
import type { Area, Check, CheckContext, ConformanceTarget, RegistryModule } from "./check.ts";
import type { ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { ERROR_CHECKS } from "./error_checks.ts";
import { HELPER_CHECKS } from "./helper_checks.ts";
import { IDENTITY_CHECKS } from "./identity_checks.ts";
import { LIFETIME_CHECKS } from "./lifetime_checks.ts";
import { MESSAGE_CHECKS } from "./message_checks.ts";
import { METHOD_CHECKS } from "./method_checks.ts";
import { QUERY_CHECKS } from "./query_checks.ts";
import { SERVICE_CHECKS } from "./service_checks.ts";
import { TWIN_CHECKS } from "./twin_checks.ts";

/** What became of one check. */
export interface ConformanceResult {
  area: Area;
  name: string;
  ok: boolean;
  /** What went wrong, with the stack. */
  error?: string;
  timeInMs: number;
}

const HTTP_CHECKS: readonly Check[] = [
  ...HELPER_CHECKS,
  ...IDENTITY_CHECKS,
  ...TWIN_CHECKS,
  ...QUERY_CHECKS,
  ...METHOD_CHECKS,
  ...SERVICE_CHECKS,
  ...ERROR_CHECKS,
  ...LIFETIME_CHECKS,
];

/** A check that hangs must not hold up the others. */
const TIME_LIMIT_IN_MS = 20_000;

/**
 * Runs every check that `target` has an address for, one after the other.
 *
 * @param module the module to check: `mod.ts`, `lib/http.ts` or a bundle of one
 * @param target an empty hub, made by `startConformanceHub`
 * @returns what became of each check; none of them makes this reject
 */
export async function runConformance(module: RegistryModule, target: ConformanceTarget): Promise<ConformanceResult[]> {
  const results = await runArea("http", HTTP_CHECKS, module, target);
  for (const area of ["amqp", "webSocket"] as const) {
    const amqpEndpoint = target[area];
    if (amqpEndpoint !== undefined) {
      results.push(...await runArea(area, MESSAGE_CHECKS, module, target, { amqpEndpoint }));
    }
  }
  return results;
}

async function runArea(
  area: Area,
  checks: readonly Check[],
  module: RegistryModule,
  target: ConformanceTarget,
  areaOptions: ClientOptions = {},
): Promise<ConformanceResult[]> {
  const connect = (options: ClientOptions = {}): IoTHubRegistryManager =>
    module.IoTHubRegistryManager.fromConnectionString(target.connectionString, {
      endpoint: target.endpoint,
      ...areaOptions,
      ...options,
    }) as IoTHubRegistryManager;
  const manager = connect();
  const called = new Set<string>();
  const context: CheckContext = { module, target, registry: recordingCalls(manager, called), connect };
  const results: ConformanceResult[] = [];
  for (const check of checks) results.push(await runCheck(area, check, context));
  const name = "every method of the manager was called";
  results.push(
    await runCheck(area, { name, run: () => expectAllCalled(methodsOf(manager, module, area), called) }, context),
  );
  await manager.close();
  return results;
}

async function runCheck(area: Area, { name, run }: Check, context: CheckContext): Promise<ConformanceResult> {
  const started = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${TIME_LIMIT_IN_MS} ms`)), TIME_LIMIT_IN_MS);
  });
  const result: ConformanceResult = { area, name, ok: true, timeInMs: 0 };
  try {
    await Promise.race([run(context), limit]);
  } catch (error) {
    result.ok = false;
    result.error = error instanceof Error
      ? error.stack?.includes(error.message) ? error.stack : `${error}`
      : `${error}`;
  } finally {
    clearTimeout(timer);
  }
  result.timeInMs = Math.round(performance.now() - started);
  return result;
}

/** The same manager, which notes the names of the methods that are called. */
function recordingCalls(manager: IoTHubRegistryManager, called: Set<string>): IoTHubRegistryManager {
  return new Proxy(manager, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      called.add(String(name));
      return member.bind(target);
    },
  });
}

/** The names of the methods that belong to an area: messages and events are nouns, which the smaller entry lacks. */
function methodsOf(manager: IoTHubRegistryManager, module: RegistryModule, area: Area): string[] {
  const { C2dMessages, DeviceEvents } = module as Record<string, { prototype: object } | undefined>;
  const messages = [C2dMessages, DeviceEvents].flatMap((noun) =>
    noun === undefined ? [] : Object.getOwnPropertyNames(noun.prototype)
  );
  if (area !== "http") return messages;
  const names: string[] = [];
  let prototype: object = Object.getPrototypeOf(manager);
  for (; prototype !== Object.prototype; prototype = Object.getPrototypeOf(prototype)) {
    names.push(...Object.getOwnPropertyNames(prototype));
  }
  return names.filter((name) => !messages.includes(name));
}

/** The checks close managers of their own. */
const NOT_RECORDED = ["constructor", "close"];

function expectAllCalled(names: string[], called: Set<string>): Promise<void> {
  const forgotten = names.filter((name) => !called.has(name) && !NOT_RECORDED.includes(name));
  if (forgotten.length === 0) return Promise.resolve();
  return Promise.reject(new Error(`never called: ${forgotten.join(", ")}`));
}
