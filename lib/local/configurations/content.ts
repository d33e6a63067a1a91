import { isId } from "../../values/ids.ts";
import { cannotUse, quote, wrongType } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import { isSystemModule } from "../identities/identity_rules.ts";
import { emptyJsonObject, isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { checkSectionContent, checkSectionSize } from "../twins/twin_limits.ts";
import { assign, type Assignment } from "./assignments.ts";

/** What a configuration gives to twins. */
export type Content = TwinContent | EdgeContent;

/** Content for the twins of devices, or for those of modules. */
export interface TwinContent {
  readonly kind: "deviceContent" | "moduleContent";
  /** The content as it was sent. */
  readonly json: JsonObject;
  readonly assignments: readonly Assignment[];
}

/** Content for the modules of an edge device. */
export interface EdgeContent {
  readonly kind: "modulesContent";
  /** The content as it was sent. */
  readonly json: JsonObject;
  /** What the twin of each module is given. */
  readonly modules: ReadonlyMap<string, readonly Assignment[]>;
  /** Whether it only adds to a deployment that has all properties of `$edgeAgent`. */
  readonly isLayered: boolean;
}

const KINDS = ["deviceContent", "moduleContent", "modulesContent"] as const;
const ROOT = "properties.desired";
const MAX_MODULES = 50;
/** No property of a twin lies deeper. This is checked first, as what follows goes down name by name. */
const MAX_NAMES = 11;

/** What a layered deployment may set in the twins of the system modules. */
const LAYERED_ROOTS: Readonly<Record<string, string>> = { $edgeAgent: "modules", $edgeHub: "routes" };

/**
 * Reads the content of a configuration.
 *
 * @throws {HubFault} `InvalidConfigurationContent` (400) when it breaks a rule.
 */
export function readContent(value: unknown): Content {
  const content = requireObject("content", value);
  const kinds = KINDS.filter((kind) => content[kind] !== undefined && content[kind] !== null);
  if (kinds.length !== 1) {
    throw invalidContent(`content must have exactly one of ${KINDS.join(", ")}, and has ${kinds.length} of them`);
  }
  const kind = kinds[0]!;
  const json = { [kind]: content[kind]! };
  return kind === "modulesContent"
    ? readEdgeContent(json, requireObject(kind, content[kind]))
    : { kind, json, assignments: readAssignments(kind, content[kind]) };
}

function readEdgeContent(json: JsonObject, modulesContent: JsonObject): EdgeContent {
  const modules = new Map<string, readonly Assignment[]>();
  for (const [moduleId, content] of Object.entries(modulesContent)) {
    if (!isId(moduleId) || (moduleId.startsWith("$") && !isSystemModule(moduleId))) {
      throw invalidContent(cannotUse(`the module id ${quote(moduleId)}`, "a legal one, or $edgeAgent or $edgeHub"));
    }
    modules.set(moduleId, readAssignments(`modulesContent.${moduleId}`, content));
  }
  const isLayered = !(modules.get("$edgeAgent") ?? []).some(({ path }) => path.length === 0);
  if (isLayered) checkLayered(modules);
  const edgeContent: EdgeContent = { kind: "modulesContent", json, modules, isLayered };
  const count = modulesOf([edgeContent]).length;
  if (count > MAX_MODULES) throw invalidContent(`modulesContent names ${count} modules, and may name ${MAX_MODULES}`);
  return edgeContent;
}

function checkLayered(modules: ReadonlyMap<string, readonly Assignment[]>): void {
  if (modules.size === 0) throw invalidContent(`modulesContent must have $edgeAgent with ${ROOT}`);
  for (const [moduleId, root] of Object.entries(LAYERED_ROOTS)) {
    for (const { path } of modules.get(moduleId) ?? []) {
      if (path.length > 1 && path[0] === root) continue;
      throw invalidContent(
        `modulesContent without ${ROOT} of $edgeAgent is layered, and may set only ${ROOT}.${root}.<name> of ${moduleId}`,
      );
    }
  }
}

/**
 * Returns the modules that edge contents bring to a device, in order: those whose twins they set, and those that
 * `$edgeAgent` is to run. The system modules, which are there anyway, are not among them.
 */
export function modulesOf(contents: readonly EdgeContent[]): string[] {
  const agent = assign({}, contents.flatMap(({ modules }) => modules.get("$edgeAgent") ?? []));
  const run = isJsonObject(agent["modules"]) ? Object.keys(agent["modules"]) : [];
  const set = contents.flatMap(({ modules }) => [...modules.keys()]);
  return [...new Set([...set, ...run])].filter((moduleId) => isId(moduleId) && !moduleId.startsWith("$"));
}

function readAssignments(name: string, value: unknown): readonly Assignment[] {
  const assignments = Object.entries(requireObject(name, value)).map(([key, value]) =>
    readAssignment(name, key, value)
  );
  // The root first, so that it takes away nothing of what is set below it.
  assignments.sort((one, other) => one.path.length - other.path.length);
  try {
    checkSectionSize("desired", assign({}, assignments));
  } catch (error) {
    throw asInvalidContent(error);
  }
  return assignments;
}

function readAssignment(name: string, key: string, value: JsonValue): Assignment {
  const isLegal = key === ROOT || key.startsWith(`${ROOT}.`);
  if (!isLegal) {
    throw invalidContent(cannotUse(`the key ${quote(key)} in ${name}`, `${ROOT} or a path that starts with ${ROOT}.`));
  }
  const path = key === ROOT ? [] : key.slice(ROOT.length + 1).split(".");
  if (path.includes("") || path.length > MAX_NAMES) {
    throw invalidContent(
      cannotUse(`the key ${quote(key)} in ${name}`, `a path of at most ${MAX_NAMES} names, without gaps`),
    );
  }
  try {
    checkSectionContent(
      `${name}.${ROOT}`,
      path.length === 0 ? requireObject(`${name}.${key}`, value) : nest(path, value),
    );
  } catch (error) {
    throw asInvalidContent(error);
  }
  return { path, value };
}

function nest([name = "", ...below]: readonly string[], value: JsonValue): JsonObject {
  const object = emptyJsonObject();
  object[name] = below.length === 0 ? value : nest(below, value);
  return object;
}

function requireObject(name: string, value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  throw invalidContent(wrongType(name, "an object", value).message);
}

function invalidContent(message: string): HubFault {
  return new HubFault("InvalidConfigurationContent", 400, message);
}

function asInvalidContent(error: unknown): unknown {
  return error instanceof HubFault ? invalidContent(error.message) : error;
}
