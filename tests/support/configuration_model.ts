import { isDeepStrictEqual } from "node:util";
import { CONDITIONS, DEVICES, type Step } from "./configuration_steps.ts";
import type { Json } from "./rest_caller.ts";

/** A twin as the model knows it. */
export interface ModelTwin {
  readonly tags: Json;
  readonly reported: Json;
  readonly desired: Json;
  readonly version: number;
  readonly states: Json;
}

interface ModelConfiguration {
  readonly id: string;
  /** When it was created. */
  readonly order: number;
  readonly content: Json;
  readonly condition: number | "*" | "";
  readonly priority: number;
}

/** The twins by `device` or `device/module`, and the configurations, at some time. */
interface World {
  readonly twins: Readonly<Record<string, ModelTwin>>;
  readonly edges: readonly string[];
  readonly configurations: readonly ModelConfiguration[];
}

const NEW: ModelTwin = { tags: {}, reported: {}, desired: {}, version: 1, states: {} };
const SYSTEM = ["$edgeAgent", "$edgeHub"];

/** Returns the twins after some steps, each of which the configurations have followed, computed from nothing. */
export function twinsAfter(steps: readonly Step[]): Readonly<Record<string, ModelTwin>> {
  let world: World = { twins: {}, edges: [], configurations: [] };
  for (const [order, step] of steps.entries()) world = followed(written(world, step, order));
  return world.twins;
}

function written(world: World, step: Step, order: number): World {
  const { twins, edges, configurations } = world;
  switch (step.kind) {
    case "create":
      if (twins[step.device] !== undefined) return world;
      return withEdge({ ...world, twins: { ...twins, [step.device]: NEW } }, step.device, step.isEdge);
    case "delete":
      return {
        ...world,
        twins: Object.fromEntries(Object.entries(twins).filter(([key]) => deviceOf(key) !== step.device)),
        edges: edges.filter((id) => id !== step.device),
      };
    case "toggleEdge":
      return twins[step.device] === undefined ? world : withEdge(world, step.device, !edges.includes(step.device));
    case "addModule":
      return twins[step.device] === undefined ? world : withModules(world, step.device, ["m"]);
    case "tag":
      return change(world, step.twin, ({ tags }) => ({ tags: merged(tags, { site: step.site }) }));
    case "report":
      return change(world, step.twin, () => ({ reported: { level: step.level } }));
    case "desire":
      return change(world, step.twin, ({ desired, version }) => ({
        desired: merged(desired, { ...step.desired, p: step.p }),
        version: version + 1,
      }));
    case "put": {
      const old = configurations.find(({ id }) => id === step.id);
      const { id, content, condition, priority } = step;
      const next = { id, content: old?.content ?? content, condition, priority, order: old?.order ?? order };
      return { ...world, configurations: [...configurations.filter((one) => one !== old), next] };
    }
    case "drop":
      return { ...world, configurations: configurations.filter(({ id }) => id !== step.id) };
    case "apply": {
      if (!edges.includes(step.device)) return world;
      let next = withModules(world, step.device, modulesNamed([step.content]));
      for (const [id, settings] of Object.entries(step.content)) {
        next = change(next, `${step.device}/${id}`, (twin) => given(twin, [settings]));
      }
      return next;
    }
  }
}

/** Gives every twin what the configurations say. */
function followed(world: World): World {
  let next = world;
  const ranked = world.configurations.toSorted((one, other) =>
    one.priority - other.priority || one.order - other.order
  );
  for (const device of DEVICES.filter((id) => world.twins[id] !== undefined)) {
    const isEdge = world.edges.includes(device);
    const deployments = ranked.filter((one) =>
      isEdge && one.content.modulesContent && isFor(one, device, world.twins[device]!)
    );
    const base = deployments.findLast(({ content }) => content.modulesContent.$edgeAgent?.["properties.desired"]);
    const running = base === undefined ? [] : deployments.slice(deployments.indexOf(base));
    next = withModules(next, device, modulesNamed(running.map(({ content }) => content.modulesContent)));
    for (const key of Object.keys(next.twins).filter((key) => deviceOf(key) === device)) {
      const module = key.split("/")[1];
      const kind = module === undefined ? "deviceContent" : "moduleContent";
      const own = ranked.filter((one) => one.content[kind] && isFor(one, device, next.twins[key]!));
      const claims: { one: ModelConfiguration; settings: Json; isOn: boolean }[] = [
        ...own.map((one) => ({ one, settings: one.content[kind], isOn: one === own.at(-1) })),
        ...deployments
          .filter(({ content }) => module === undefined || module === "$edgeAgent" || content.modulesContent[module])
          .map((one) => ({
            one,
            settings: module === undefined ? {} : one.content.modulesContent[module] ?? {},
            isOn: running.includes(one),
          })),
      ].toSorted((one, other) => ranked.indexOf(one.one) - ranked.indexOf(other.one));
      next = change(next, key, (twin) => ({
        ...given(twin, claims.filter(({ isOn }) => isOn).map(({ settings }) => settings)),
        states: Object.fromEntries(claims.map(({ one, isOn }) => [one.id, isOn ? "Applied" : "Targeted"])),
      }));
    }
  }
  return next;
}

function isFor({ condition }: ModelConfiguration, id: string, { tags, reported }: ModelTwin): boolean {
  if (typeof condition === "string") return condition === "*";
  return CONDITIONS[condition]!.holds({ id, tags, reported });
}

/** A twin with all settings in its desired properties; its version grows if that changes anything. */
function given(twin: ModelTwin, all: readonly Json[]): Partial<ModelTwin> {
  const desired = structuredClone(twin.desired);
  for (const settings of all) {
    const paths = Object.keys(settings).toSorted((one, other) => one.split(".").length - other.split(".").length);
    for (const path of paths) {
      const names = path.split(".").slice(2);
      if (names.length === 0) { for (const name of Object.keys(desired)) delete desired[name]; }
      if (names.length === 0) Object.assign(desired, merged({}, settings[path]));
      else set(desired, names, settings[path]);
    }
  }
  return isDeepStrictEqual(desired, twin.desired) ? {} : { desired, version: twin.version + 1 };
}

function set(object: Json, names: readonly string[], value: Json): void {
  const [name, ...below] = names as [string, ...string[]];
  if (below.length > 0) {
    if (!isObject(object[name])) object[name] = {};
    set(object[name], below, value);
  } else if (value === null) delete object[name];
  else object[name] = isObject(value) ? merged({}, value) : value;
}

function modulesNamed(contents: readonly Json[]): string[] {
  const run = given({ ...NEW }, contents.map(({ $edgeAgent }) => $edgeAgent ?? {})).desired?.modules ?? {};
  const named = [...contents.flatMap((content) => Object.keys(content)), ...Object.keys(run)];
  return named.filter((id) => !SYSTEM.includes(id));
}

function withEdge(world: World, device: string, isEdge: boolean): World {
  if (isEdge) return { ...withModules(world, device, SYSTEM), edges: [...world.edges, device] };
  const gone = SYSTEM.map((id) => `${device}/${id}`);
  return {
    ...world,
    twins: Object.fromEntries(Object.entries(world.twins).filter(([key]) => !gone.includes(key))),
    edges: world.edges.filter((id) => id !== device),
  };
}

function withModules(world: World, device: string, ids: readonly string[]): World {
  return { ...world, twins: { ...Object.fromEntries(ids.map((id) => [`${device}/${id}`, NEW])), ...world.twins } };
}

function change(world: World, key: string, how: (twin: ModelTwin) => Partial<ModelTwin>): World {
  const twin = world.twins[key];
  return twin === undefined ? world : { ...world, twins: { ...world.twins, [key]: { ...twin, ...how(twin) } } };
}

function merged(object: Json, patch: Json): Json {
  const next = { ...object };
  for (const [name, value] of Object.entries<Json>(patch)) {
    if (value === null) delete next[name];
    else next[name] = isObject(value) ? merged(isObject(next[name]) ? next[name] : {}, value) : value;
  }
  return next;
}

function isObject(value: Json): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function deviceOf(key: string): string {
  return key.split("/")[0]!;
}
