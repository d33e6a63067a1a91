import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { holds } from "../support/properties.ts";
import { type Json, RestCaller } from "../support/rest_caller.ts";

const LAG = 1000;
const IDS = ["a", "b", "c"] as const;

/** Something that changes what a query can see, or the time. */
const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      ...["create", "createEdge", "createChild", "createModule"] as const,
      ...["patch", "disable", "connect", "report", "delete"] as const,
    ),
    id: fc.constantFrom(...IDS),
    value: fc.integer({ min: 0, max: 9 }),
  }),
  fc.record({ kind: fc.constant("wait" as const), time: fc.constantFrom(1, 300, LAG - 1, LAG, 2500) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A hub whose queries lag behind, and what reads have said after each step. */
class LaggingHub {
  #time = Date.UTC(2026, 0, 1);
  readonly hub: LocalHub = new LocalHub({ now: () => this.#time, queryLagInMs: LAG, clockSkewInSeconds: 1e9 });
  readonly rest: RestCaller = new RestCaller(this.hub);
  readonly #history: { time: number; twins: Json[] }[] = [{ time: -Infinity, twins: [] }];

  async take(one: Step): Promise<void> {
    if (one.kind === "wait") this.#time += one.time;
    else await this.#write(one);
    this.#history.push({ time: this.#time, twins: await this.#read() });
  }

  /** What reads said some time ago. */
  get past(): Json[] {
    return this.#history.findLast(({ time }) => time <= this.#time - LAG)!.twins;
  }

  /** Some of these steps are refused, such as one on a device that does not exist. */
  async #write({ kind, id, value }: Exclude<Step, { kind: "wait" }>): Promise<void> {
    const { rest, hub } = this;
    const anyEtag = { headers: { "if-match": "*" } };
    switch (kind) {
      case "create":
        return void await rest.call("PUT", `/devices/${id}`, { deviceId: id });
      case "createEdge":
        return void await rest.call("PUT", `/devices/${id}`, { deviceId: id, capabilities: { iotEdge: true } });
      case "createChild": {
        const others = await Promise.all(IDS.map((id) => rest.call("GET", `/devices/${id}`)));
        const gateway = others.find(({ body }) => body.capabilities?.iotEdge);
        const deviceScope = gateway?.body.deviceScope;
        return void await rest.call("PUT", `/devices/${id}`, { deviceId: id, deviceScope });
      }
      case "createModule":
        return void await rest.call("PUT", `/devices/${id}/modules/m`, { moduleId: "m" });
      case "patch":
        return void await rest.call("PATCH", `/twins/${id}`, { tags: { value }, properties: { desired: { value } } });
      case "disable": {
        const { status, body } = await rest.call("GET", `/devices/${id}`);
        if (status !== 200) return;
        const next = { ...body, status: body.status === "enabled" ? "disabled" : "enabled" };
        return void await rest.call("PUT", `/devices/${id}`, next, anyEtag);
      }
      case "connect":
        return value < 5 ? hub.device(id).connect() : hub.device(id).disconnect();
      case "report":
        return void await hub.device(id).updateReportedProperties({ value }).catch(() => {});
      case "delete":
        return void await rest.call("DELETE", `/devices/${id}`, undefined, anyEtag);
    }
  }

  /** All twins as they are read now, devices before modules. */
  async #read(): Promise<Json[]> {
    const twins: Json[] = [];
    for (const id of IDS) {
      const { status, body } = await this.rest.call("GET", `/twins/${id}`);
      if (status === 200) twins.push(body);
    }
    for (const id of IDS) {
      for (const module of ["$edgeAgent", "$edgeHub", "m"]) {
        const { status, body } = await this.rest.call("GET", `/twins/${id}/modules/${module}`);
        if (status === 200) twins.push({ ...body, capabilities: { iotEdge: false } });
      }
    }
    return twins;
  }
}

function nameOf({ deviceId, moduleId = "" }: Json): string {
  return `${moduleId === "" ? 0 : 1} ${deviceId} ${moduleId}`;
}

describe("a query on a hub that lags behind", () => {
  test("sees exactly what reads have said that time ago", async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), async (steps) => {
      const hub = new LaggingHub();
      for (const one of steps) {
        await hub.take(one);
        const devices = await hub.rest.do("POST", "/devices/query", { query: "SELECT * FROM devices" });
        const modules = await hub.rest.do("POST", "/devices/query", { query: "SELECT * FROM devices.modules" });
        const seen = [...devices, ...modules].toSorted((one, other) => nameOf(one) < nameOf(other) ? -1 : 1);
        assert.deepEqual(seen, hub.past);
      }
      await hub.hub.close();
    });
    await holds(property, 40);
  });
});
