import type { BulkRegistryOperationResult, DeviceRegistryOperationError } from "../../gen/index.ts";
import { checkIdentityIfMatch, type DeviceRegistry } from "./identities/device_registry.ts";
import { isSystemModule } from "./identities/identity_rules.ts";
import { wrongArgument, wrongArgumentType } from "./argument_faults.ts";
import { HubFault } from "./hub_fault.ts";
import { quote } from "../values/checks.ts";
import { findIdentity, requireDevice, requireIdentity } from "./records/find_identity.ts";
import { type AnyRecord, identityKey } from "./records/identity_records.ts";
import type { IdentityStore } from "./records/identity_store.ts";
import { readIfMatch } from "./records/if_match.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import type { ModuleRegistry } from "./identities/module_registry.ts";
import { checkIfMatch, readFirstContent, type TwinWrites } from "./twins/twin_writes.ts";

const MAX_ELEMENTS = 100;
const MODES = [
  "create",
  "update",
  "updateIfMatchETag",
  "delete",
  "deleteIfMatchETag",
  "updateTwin",
  "updateTwinIfMatchETag",
] as const;

/**
 * The modes that the real hub reads as well, but that only its import jobs have. The first is what it takes an element
 * without a mode for.
 */
const JOB_MODES = ["createOrUpdate", "createOrUpdateIfMatchETag"] as const;

type ImportMode = typeof MODES[number] | typeof JOB_MODES[number];

interface Element {
  deviceId: string;
  moduleId: string | undefined;
  mode: ImportMode;
  body: JsonObject;
}

/** Carries out up to a hundred writes in one call, each of which succeeds or fails on its own. */
export class BulkRegistry {
  readonly #store: IdentityStore;
  readonly #devices: DeviceRegistry;
  readonly #modules: ModuleRegistry;
  readonly #twins: TwinWrites;

  constructor(store: IdentityStore, devices: DeviceRegistry, modules: ModuleRegistry, twins: TwinWrites) {
    this.#store = store;
    this.#devices = devices;
    this.#modules = modules;
    this.#twins = twins;
  }

  /**
   * Carries out the writes of one call.
   *
   * @param body The body of the call.
   * @returns The result, with an error for each write that failed.
   * @throws {HubFault} `ArgumentInvalid`, `DeviceDefinedMultipleTimes` (400) or `TooManyDevices` (413) when the call as
   * a whole cannot be carried out.
   */
  run(body: unknown): BulkRegistryOperationResult {
    const elements = readElements(body);
    return this.#store.together(() => this.#runAll(elements));
  }

  #runAll(elements: readonly Element[]): BulkRegistryOperationResult {
    const errors: DeviceRegistryOperationError[] = [];
    for (const element of elements) {
      try {
        this.#runOne(element);
      } catch (error) {
        if (!(error instanceof HubFault)) throw error;
        errors.push({
          deviceId: element.deviceId,
          ...(element.moduleId !== undefined && { moduleId: element.moduleId }),
          errorCode: error.code as NonNullable<DeviceRegistryOperationError["errorCode"]>,
          errorStatus: error.message,
          operation: element.mode,
        });
      }
    }
    return { isSuccessful: errors.length === 0, errors, warnings: [] };
  }

  /**
   * Carries out one line of an import job, which has two modes more, and the first of these unless it names one.
   *
   * @param body The line, with its id.
   * @throws {HubFault} What the write fails with.
   */
  runLine(body: JsonObject): void {
    const element = readElement(body, "the line", [...MODES, ...JOB_MODES]);
    this.#store.together(() => isJobMode(element.mode) ? this.#createOrUpdate(element) : this.#runOne(element));
  }

  #runOne(element: Element): void {
    if (element.mode === "create") return this.#create(element);
    if (isJobMode(element.mode)) throw wrongArgument("importMode", element.body["importMode"], anyOf(MODES));
    const record = requireIdentity(this.#store, element, { includeDisabled: true, missingModule: "ModuleNotFound" });
    const { body } = element;
    switch (element.mode) {
      case "updateIfMatchETag":
        checkIdentityIfMatch(record, etagOf(body["eTag"]));
        return this.#replace(record, body);
      case "update":
        return this.#replace(record, body);
      case "deleteIfMatchETag":
        checkIdentityIfMatch(record, etagOf(body["eTag"]));
        return this.#delete(record);
      case "delete":
        return this.#delete(record);
      case "updateTwinIfMatchETag":
        checkIfMatch(record, etagOf(body["twinETag"]));
        return this.#twins.patch(record, twinPartOf(body), undefined);
      case "updateTwin":
        return this.#twins.patch(record, twinPartOf(body), undefined);
    }
  }

  #create({ deviceId, moduleId, body }: Element): void {
    // The twin is read first, so that a bad one leaves no identity behind.
    const content = readFirstContent(twinPartOf(body));
    const record = moduleId === undefined
      ? this.#devices.create(deviceId, body)
      : this.#modules.create(requireDevice(this.#store, deviceId), moduleId, body);
    this.#twins.fill(record, content);
  }

  #createOrUpdate(element: Element): void {
    const record = findIdentity(this.#store, element);
    if (record === undefined) return this.#create(element);
    const { mode, body } = element;
    if (mode === "createOrUpdateIfMatchETag") checkIdentityIfMatch(record, etagOf(body["eTag"]));
    // The hub has made a system module with its device, and alone writes its identity.
    const isSystem = record.kind === "module" && isSystemModule(record.moduleId);
    if (!isSystem) this.#replace(record, body);
    const twin = twinPartOf(body);
    if (Object.keys(twin).length === 0) return;
    // The two etags are compared apart: here the identity has been written already.
    if (!isSystem) checkIfMatch(record, etagOf(body["twinETag"]));
    this.#twins.patch(record, twin, undefined);
  }

  #replace(record: AnyRecord, body: JsonObject): void {
    if (record.kind === "device") this.#devices.replace(record, body);
    else this.#modules.replace(record, body);
  }

  #delete(record: AnyRecord): void {
    if (record.kind === "device") this.#devices.delete(record);
    else this.#modules.delete(record);
  }
}

function readElements(body: unknown): Element[] {
  if (!Array.isArray(body)) throw wrongArgumentType("the body", body, "an array of identities");
  if (body.length > MAX_ELEMENTS) {
    throw new HubFault(
      "TooManyDevices",
      413,
      `The call names ${body.length} identities and may name ${MAX_ELEMENTS} at most: split it into several calls`,
    );
  }
  const elements = body.map((element, index) => readElement(element, `element ${index}`, MODES));
  const seen = new Set<string>();
  for (const { deviceId, moduleId } of elements) {
    const key = identityKey(deviceId, moduleId);
    if (seen.has(key)) {
      throw new HubFault("DeviceDefinedMultipleTimes", 400, `The call names ${key} more than once`);
    }
    seen.add(key);
  }
  return elements;
}

function readElement(body: unknown, what: string, modes: readonly ImportMode[]): Element {
  if (!isJsonObject(body)) throw wrongArgumentType(what, body, "an object");
  const { id, importMode } = body;
  if (typeof id !== "string" || id === "") {
    throw wrongArgument(`id of ${what}`, id, "a string that is not empty");
  }
  const moduleId = body["moduleId"] ?? "";
  if (typeof moduleId !== "string") throw wrongArgument(`moduleId of ${what}`, moduleId, "a string");
  const mode = readMode(importMode);
  if (mode === undefined) throw wrongArgument(`importMode of ${what}`, importMode, anyOf(modes));
  return { deviceId: id, moduleId: moduleId || undefined, mode, body };
}

function readMode(importMode: JsonValue | undefined): ImportMode | undefined {
  if (importMode === undefined || importMode === null) return JOB_MODES[0];
  const wanted = typeof importMode === "string" ? importMode.toLowerCase() : undefined;
  return [...MODES, ...JOB_MODES].find((mode) => mode.toLowerCase() === wanted);
}

function anyOf(modes: readonly ImportMode[]): string {
  return modes.map(quote).join(" or ");
}

function isJobMode(mode: ImportMode): mode is typeof JOB_MODES[number] {
  return JOB_MODES.some((candidate) => candidate === mode);
}

function etagOf(value: unknown): string | undefined {
  return readIfMatch(typeof value === "string" ? value : null);
}

function twinPartOf(body: JsonObject): JsonObject {
  const part: JsonObject = {};
  if (body["tags"] !== undefined) part["tags"] = body["tags"];
  if (body["properties"] !== undefined && body["properties"] !== null) part["properties"] = body["properties"];
  return part;
}
