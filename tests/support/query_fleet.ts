/** Random devices and modules with twins of all kinds, for queries to find. */
import fc from "fast-check";
import { IoTHubRegistryManager } from "../../mod.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { ANY_CHARACTER } from "./properties.ts";
import { type Json, RestCaller } from "./rest_caller.ts";

/** What the twin of a device or a module contains; `reported` is `null` for one that reports nothing. */
interface ModelTwin {
  tags: Json;
  desired: Json;
  reported: Json;
}

/** A device to create. */
export interface ModelDevice extends ModelTwin {
  kind: "sas" | "selfSigned" | "certificateAuthority" | "edge" | "leaf";
  statusReason: string | null;
  isDisabled: boolean;
  isConnected: boolean;
  modules: ModelTwin[];
}

const KEY = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("site", "floor", "fw", "group", "a", "b", "Site") },
  { weight: 1, arbitrary: fc.constantFrom("two-words", "a]b", "0", "constructor", "__proto__", "é", "toString", "") },
);

const PRIMITIVE = fc.oneof(
  fc.constantFrom("a", "b", "B", "ab", "it's", 'say "x"', "back\\slash", "é", ""),
  fc.string({ unit: ANY_CHARACTER, maxLength: 5 }),
  fc.constantFrom(0, 1, 2, 3, -1, 1.5, 4503599627370495, 1e-7),
  fc.boolean(),
);

const CONTENT = fc.letrec<{ object: Json; value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { weight: 5, arbitrary: PRIMITIVE },
    { weight: 1, arbitrary: fc.array(PRIMITIVE, { maxLength: 3 }) },
    { weight: 2, arbitrary: tie("object") },
  ),
  object: fc.dictionary(KEY, tie("value"), { maxKeys: 4 }),
})).object;

const TWIN = { tags: CONTENT, desired: CONTENT, reported: fc.option(CONTENT) };

/** Some devices. */
export const ANY_FLEET: fc.Arbitrary<ModelDevice[]> = fc.array(
  fc.record<ModelDevice>({
    ...TWIN,
    kind: fc.constantFrom("sas", "sas", "selfSigned", "certificateAuthority", "edge", "leaf"),
    statusReason: fc.option(fc.constantFrom("broken", "sold")),
    isDisabled: fc.nat({ max: 5 }).map((chance) => chance === 0),
    isConnected: fc.boolean(),
    modules: fc.array(fc.record<ModelTwin>(TWIN), { maxLength: 2 }),
  }),
  { minLength: 8, maxLength: 25, size: "max" },
);

/** A hub with some devices, and what reads say of them. */
export class QueryFleet implements AsyncDisposable {
  readonly hub: LocalHub = new LocalHub();
  readonly rest: RestCaller = new RestCaller(this.hub);
  /** The twins of the devices, in the order of their creation. */
  readonly devices: Json[] = [];
  readonly modules: Json[] = [];
  #gateway: Json;

  /** Creates the devices, with a message for the first. */
  static async create(devices: readonly ModelDevice[]): Promise<QueryFleet> {
    const fleet = new QueryFleet();
    for (const [index, device] of devices.entries()) await fleet.#add(`${device.kind}-${index}`, device);
    const first = `${devices[0]!.kind}-0`;
    if (!devices[0]!.isDisabled) await fleet.#send(first);
    for (const [index, { kind, modules }] of devices.entries()) {
      const id = `${kind}-${index}`;
      fleet.devices.push(await fleet.rest.do("GET", `/twins/${id}`));
      const moduleIds = [...(kind === "edge" ? ["$edgeAgent", "$edgeHub"] : []), ...modules.map((_, at) => `m${at}`)];
      for (const moduleId of moduleIds) {
        const twin = await fleet.rest.do("GET", `/twins/${id}/modules/${moduleId}`);
        fleet.modules.push({ ...twin, capabilities: { iotEdge: false } });
      }
    }
    return fleet;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.hub.close();
  }

  async #add(
    deviceId: string,
    { kind, isDisabled, statusReason, isConnected, modules, ...twin }: ModelDevice,
  ): Promise<void> {
    const gateway = this.#gateway;
    const x509Thumbprint = { primaryThumbprint: String(deviceId.length % 10).repeat(40) };
    const created = await this.rest.do("PUT", `/devices/${deviceId}`, {
      deviceId,
      ...(statusReason !== null && { statusReason }),
      ...(kind === "selfSigned" && { authentication: { type: kind, x509Thumbprint } }),
      ...(kind === "certificateAuthority" && { authentication: { type: kind } }),
      ...(kind === "edge" && { capabilities: { iotEdge: true }, parentScopes: gateway ? [gateway.deviceScope] : [] }),
      ...(kind === "leaf" && gateway && { deviceScope: gateway.deviceScope }),
    });
    if (kind === "edge") this.#gateway ??= created;
    const device = this.hub.device(deviceId);
    if (isConnected) device.connect();
    await this.#write(deviceId, twin);
    if (twin.reported !== null) await device.updateReportedProperties(twin.reported);
    for (const [at, module] of modules.entries()) {
      const moduleId = `m${at}`;
      await this.rest.do("PUT", `/devices/${deviceId}/modules/${moduleId}`, { moduleId });
      await this.#write(`${deviceId}/modules/${moduleId}`, module);
      if (module.reported !== null) await device.module(moduleId).updateReportedProperties(module.reported);
    }
    if (!isDisabled) return;
    const identity = await this.rest.do("GET", `/devices/${deviceId}`);
    await this.rest.do("PUT", `/devices/${deviceId}`, { ...identity, status: "disabled" }, { "if-match": "*" });
  }

  async #write(path: string, { tags, desired }: Pick<ModelTwin, "tags" | "desired">): Promise<void> {
    await this.rest.do("PATCH", `/twins/${path}`, { tags, properties: { desired } });
  }

  async #send(deviceId: string): Promise<void> {
    await using registry = IoTHubRegistryManager.fromConnectionString(
      this.hub.connectionString,
      this.hub.clientOptions,
    );
    await registry.sendC2dMessage(deviceId, "Good morning");
  }
}
