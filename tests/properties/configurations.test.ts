import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ModelTwin, twinsAfter } from "../support/configuration_model.ts";
import { ConfigurationScene } from "../support/configuration_scene.ts";
import { ANY_STEPS, CONDITIONS, CONFIGURATIONS, type Step } from "../support/configuration_steps.ts";
import { holds } from "../support/properties.ts";
import type { Json } from "../support/rest_caller.ts";

/** A hub that takes the steps. Some are refused, such as one on a device that does not exist. */
class SteppedHub extends ConfigurationScene {
  async take(step: Step): Promise<void> {
    const anyEtag = { headers: { "if-match": "*" } };
    switch (step.kind) {
      case "create": {
        const body = { deviceId: step.device, capabilities: { iotEdge: step.isEdge } };
        await this.rest.call("PUT", `/devices/${step.device}`, body);
        break;
      }
      case "delete":
        await this.rest.call("DELETE", `/devices/${step.device}`, undefined, anyEtag);
        break;
      case "toggleEdge": {
        const { body } = await this.rest.call("GET", `/devices/${step.device}`);
        const next = { ...body, capabilities: { iotEdge: !body.capabilities?.iotEdge } };
        await this.rest.call("PUT", `/devices/${step.device}`, next, anyEtag);
        break;
      }
      case "addModule":
        await this.rest.call("PUT", `/devices/${step.device}/modules/m`, { moduleId: "m" });
        break;
      case "tag":
        await this.rest.call("PATCH", pathOf(step.twin), { tags: { site: step.site } });
        break;
      case "report": {
        const [id = "", module] = step.twin.split("/");
        const device = module === undefined ? this.hub.device(id) : this.hub.device(id).module(module);
        await device.updateReportedProperties({ level: step.level }).catch(() => {});
        break;
      }
      case "desire":
        await this.rest.call("PATCH", pathOf(step.twin), { properties: { desired: { ...step.desired, p: step.p } } });
        break;
      case "put":
        await this.#putConfiguration(step);
        break;
      case "drop":
        await this.rest.call("DELETE", `/configurations/${step.id}`);
        break;
      case "apply": {
        const body = { modulesContent: step.content };
        await this.rest.call("POST", `/devices/${step.device}/applyConfigurationContent`, body);
        break;
      }
    }
    await this.hub.settled();
  }

  /** The condition goes with the content that the configuration has, not with that which is sent. */
  async #putConfiguration({ id, content, condition, priority }: Extract<Step, { kind: "put" }>): Promise<void> {
    const { status, body: old } = await this.rest.call("GET", `/configurations/${id}`);
    const isForModules = (status === 200 ? old.content : content).moduleContent !== undefined;
    const text = typeof condition === "string" ? condition : CONDITIONS[condition]!.text;
    const targetCondition = isForModules && typeof condition !== "string" ? `from devices.modules where ${text}` : text;
    const headers: Record<string, string> = status === 200 ? { "if-match": `"${old.etag}"` } : {};
    await this.rest.do("PUT", `/configurations/${id}`, { content, targetCondition, priority }, headers);
  }

  /** All twins, as the model writes them. */
  async twins(): Promise<Record<string, ModelTwin>> {
    const twins: Record<string, ModelTwin> = {};
    for (const source of ["devices", "devices.modules"]) {
      const found = await this.rest.do("POST", "/devices/query", { query: `SELECT * FROM ${source}` });
      for (const { deviceId, moduleId, tags = {}, properties, configurations = {} } of found) {
        const { $version: version, $metadata: _, ...desired } = properties.desired;
        const { $version: __, $metadata: ___, ...reported } = properties.reported;
        const states = Object.fromEntries(Object.entries<Json>(configurations).map(([id, { status }]) => [id, status]));
        const key = moduleId === undefined ? deviceId : `${deviceId}/${moduleId}`;
        twins[key] = { tags, reported, desired, version, states };
      }
    }
    return twins;
  }
}

function pathOf(key: string): string {
  return `/twins/${key.replace("/", "/modules/")}`;
}

/** How many twins a configuration has, and in how many of them it is applied, by the twins themselves. */
function countsOf(id: string, kind: string, twins: Record<string, ModelTwin>): Json {
  const isCounted = (key: string): boolean => kind === "moduleContent" ? key.includes("/") : !key.includes("/");
  const targeted = Object.entries(twins).filter(([key, { states }]) => isCounted(key) && id in states);
  return {
    targetedCount: targeted.length,
    appliedCount: targeted.filter(([, { states }]) => states[id] === "Applied").length,
  };
}

describe("configurations", () => {
  test("keep all twins as a model has them that computes them from nothing after every step", async () => {
    const count = { twins: 0, applied: 0, targeted: 0 };
    const property = fc.asyncProperty(ANY_STEPS, async (steps) => {
      await using hub = new SteppedHub();
      for (const [at, step] of steps.entries()) {
        await hub.take(step);
        const twins = await hub.twins();
        assert.deepEqual(twins, { ...twinsAfter(steps.slice(0, at + 1)) });
        for (const id of CONFIGURATIONS) {
          const { status, body } = await hub.rest.call("GET", `/configurations/${id}`);
          if (status !== 200) continue;
          const { targetedCount, appliedCount } = body.systemMetrics.results;
          const counts = countsOf(id, Object.keys(body.content)[0]!, twins);
          assert.deepEqual({ targetedCount, appliedCount }, counts);
        }
        count.twins += Object.keys(twins).length;
        const states = Object.values(twins).flatMap(({ states }) => Object.values(states));
        count.applied += states.filter((status) => status === "Applied").length;
        count.targeted += states.filter((status) => status === "Targeted").length;
      }
    });
    await holds(property, 20);

    assert.ok(count.applied > count.twins / 20, `${count.applied} states of ${count.twins} twins are applied`);
    assert.ok(count.targeted > count.twins / 100, `${count.targeted} states of ${count.twins} twins are targeted`);
  });
});
