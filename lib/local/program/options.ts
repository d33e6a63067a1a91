import { parseArgs } from "node:util";
import { cannotUse, quote } from "../../values/checks.ts";
import type { LocalHubEvent } from "../activity/hub_event.ts";
import { POLICY_NAMES, type PolicyName } from "../auth/authorization.ts";
import type { ListenOptions } from "../sockets/listeners.ts";

/** The options that name ports. */
export const PORT_OPTIONS = ["https", "amqps", "mqtts", "http", "amqp", "mqtt"] as const;

/** Kinds of events. */
export type EventKind = LocalHubEvent["kind"];

const EVENT_KINDS: readonly EventKind[] = [
  "operation",
  "deviceAct",
  "message",
  "methodCall",
  "desiredChange",
  "connection",
  "refusedSignIn",
];

/** What the program was told to do. */
export interface ProgramOptions {
  readonly host: string;
  readonly name: string;
  readonly ports: Pick<ListenOptions, typeof PORT_OPTIONS[number]>;
  readonly keys: Readonly<Partial<Record<PolicyName, string>>>;
  readonly authorityFiles: readonly string[];
  readonly folder: string | undefined;
  readonly dataFile: string | undefined;
  readonly seedFile: string | undefined;
  readonly kinds: ReadonlySet<EventKind>;
  /** The ids of the devices whose events are shown; empty for all. */
  readonly deviceIds: ReadonlySet<string>;
  readonly isJson: boolean;
}

/** Options that cannot be used. */
export class UsageError extends Error {}

/**
 * Reads the arguments of the program.
 *
 * @param environment Has keys that are not among the arguments.
 * @returns What to do, or the name of an option that asks for a text.
 * @throws {UsageError} When an argument cannot be used.
 */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ProgramOptions | "help" | "version" {
  const { values } = parse(args);
  if (values.help) return "help";
  if (values.version) return "version";
  const ports = PORT_OPTIONS.map((name) => [name, readPort(name, values[name])]).filter(([, port]) =>
    port !== undefined
  );
  return {
    host: values.host ?? "127.0.0.1",
    name: values.name ?? "localhost",
    ports: Object.fromEntries(ports),
    keys: readKeys([...(environment["IOTHUB_LOCAL_KEYS"] ?? "").split(/\s+/).filter(Boolean), ...values.key ?? []]),
    authorityFiles: values.authority ?? [],
    folder: values.folder,
    dataFile: values.data,
    seedFile: values.seed,
    kinds: readKinds(values.show),
    deviceIds: new Set(values.device),
    isJson: values.json ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    const text = { type: "string" } as const;
    const texts = { type: "string", multiple: true } as const;
    const flag = { type: "boolean" } as const;
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        host: text,
        name: text,
        https: text,
        amqps: text,
        mqtts: text,
        http: text,
        amqp: text,
        mqtt: text,
        key: texts,
        authority: texts,
        folder: text,
        data: text,
        seed: text,
        show: text,
        device: texts,
        json: flag,
        help: flag,
        version: flag,
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readPort(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(cannotUse(`--${name} ${quote(text)}`, "a port from 0 to 65535"));
}

function readKeys(pairs: readonly string[]): Partial<Record<PolicyName, string>> {
  const keys: Partial<Record<PolicyName, string>> = {};
  for (const pair of pairs) {
    const [name, ...rest] = pair.split("=");
    const known = POLICY_NAMES.find((policy) => policy === name);
    // The pair is not shown: what stands in the wrong place may be the key.
    if (known === undefined || rest.length === 0) {
      throw new UsageError(`A key must be NAME=KEY, and NAME one of ${POLICY_NAMES.join(", ")}`);
    }
    keys[known] = rest.join("=");
  }
  return keys;
}

function readKinds(text: string | undefined): ReadonlySet<EventKind> {
  if (text === undefined) return new Set(EVENT_KINDS);
  if (text === "none") return new Set();
  return new Set(
    text.split(",").map((kind) => {
      const known = EVENT_KINDS.find((one) => one === kind);
      if (known === undefined) {
        throw new UsageError(cannotUse(`--show ${quote(kind)}`, `none, or some of ${EVENT_KINDS.join(", ")}`));
      }
      return known;
    }),
  );
}
