import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { applyConfigurationOnEdgeDevice, createClient } from "../../gen/index.ts";
import { ConfigurationScene } from "../support/configuration_scene.ts";
import type { Json } from "../support/rest_caller.ts";

const AGENT = { schemaVersion: "1.1", runtime: { type: "docker" }, modules: { sensor: { type: "docker" } } };
const HUB = { schemaVersion: "1.1", routes: { up: "FROM /* INTO $upstream" } };

/** What a deployment that says everything gives to the modules of a device. */
const BASE: Json = {
  $edgeAgent: { "properties.desired": AGENT },
  $edgeHub: { "properties.desired": HUB },
  sensor: { "properties.desired": { interval: 5 } },
};

/** What a layer adds to it. */
const LAYER: Json = {
  $edgeAgent: { "properties.desired.modules.camera": { type: "docker" } },
  $edgeHub: { "properties.desired.routes.local": "FROM /* INTO x" },
  sensor: { "properties.desired.interval": 9, "properties.desired.extra.on": true },
};

class EdgeScene extends ConfigurationScene {
  /** Creates an edge device. */
  async addEdge(id: string): Promise<void> {
    await this.rest.do("PUT", `/devices/${id}`, { deviceId: id, capabilities: { iotEdge: true } });
  }

  deploy(id: string, modulesContent: Json, priority: number = 0, condition: string = "*"): Promise<Json> {
    return this.put(id, { targetCondition: condition, priority, content: { modulesContent } });
  }
}

describe("a deployment", () => {
  test("gives an edge device its modules and their properties, and takes no other device", async () => {
    await using scene = new EdgeScene();
    await scene.addEdge("edge");
    await scene.rest.createDevices("plain");
    await scene.patch("edge/modules/$edgeAgent", { properties: { desired: { old: 1 } } });
    await scene.deploy("base", BASE);

    assert.deepEqual(await scene.desired("edge/modules/$edgeAgent"), AGENT);
    assert.deepEqual(await scene.desired("edge/modules/$edgeHub"), HUB);
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 5 });
    const sensor = await scene.rest.do("GET", "/devices/edge/modules/sensor");
    assert.deepEqual([sensor.managedBy, sensor.authentication.type], ["iotEdge", "sas"]);
    for (const twin of ["edge", "edge/modules/$edgeAgent", "edge/modules/$edgeHub", "edge/modules/sensor"]) {
      assert.deepEqual(await scene.states(twin), { base: "Applied" }, twin);
    }
    assert.deepEqual(await scene.desired("edge"), {});
    assert.deepEqual(await scene.states("plain"), {});
  });

  test("has metrics of the devices that it is meant for, that have it, and that have reported on it", async () => {
    await using scene = new EdgeScene();
    for (const id of ["a", "b", "c", "d"]) await scene.addEdge(id);
    await scene.rest.createDevices("plain");
    await scene.deploy("base", BASE, 0, "deviceId != 'd' OR deviceId = 'plain'");
    const { systemMetrics } = await scene.rest.do("GET", "/configurations/base");
    assert.equal(
      systemMetrics.queries.targetedCount,
      "select deviceId from devices where capabilities.iotEdge = true and (deviceId != 'd' OR deviceId = 'plain')",
    );
    for (const [id, code] of [["a", 200], ["b", 400], ["c", undefined]] as const) {
      const agent = scene.hub.device(id).module("$edgeAgent");
      const lastDesiredVersion = agent.twin.desired["$version"]!;
      if (code !== undefined) await agent.updateReportedProperties({ lastDesiredVersion, lastDesiredStatus: { code } });
    }
    assert.deepEqual((await scene.results("base")).system, {
      targetedCount: 3,
      appliedCount: 3,
      reportedSuccessfulCount: 1,
      reportedFailedCount: 1,
    });
  });

  test("gets layers on top of it, in the order of their priorities", async () => {
    await using scene = new EdgeScene();
    await scene.addEdge("edge");
    await scene.deploy("layer", LAYER, 5);
    for (const twin of ["edge", "edge/modules/$edgeAgent", "edge/modules/$edgeHub"]) {
      assert.deepEqual(await scene.states(twin), { layer: "Targeted" }, "a layer alone waits");
    }
    assert.deepEqual(await scene.desired("edge/modules/$edgeAgent"), {});
    await scene.rest.fails([404, "DeviceNotFound"], "GET", "/twins/edge/modules/camera");

    await scene.deploy("base", BASE, 3);
    await scene.deploy("below", { sensor: { "properties.desired": { below: 1 } } }, 1);
    await scene.deploy("above", { sensor: { "properties.desired.interval": 60 } }, 6);
    assert.deepEqual(await scene.desired("edge/modules/$edgeAgent"), {
      ...AGENT,
      modules: { sensor: { type: "docker" }, camera: { type: "docker" } },
    });
    assert.deepEqual(await scene.desired("edge/modules/$edgeHub"), {
      ...HUB,
      routes: { ...HUB.routes, local: "FROM /* INTO x" },
    });
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 60, extra: { on: true } });
    assert.deepEqual(await scene.desired("edge/modules/camera"), {});
    assert.deepEqual(await scene.states("edge"), {
      below: "Targeted",
      base: "Applied",
      layer: "Applied",
      above: "Applied",
    });
    assert.deepEqual(await scene.states("edge/modules/$edgeHub"), { base: "Applied", layer: "Applied" });
    const { $lastUpdatedBy } = (await scene.rest.do("GET", "/twins/edge/modules/sensor")).properties.desired.$metadata;
    assert.equal($lastUpdatedBy, "above");

    await scene.rest.do("DELETE", "/configurations/above");
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 9, extra: { on: true } });
    await scene.deploy("other", { ...BASE, sensor: { "properties.desired": { interval: 1 } } }, 9);
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 1 });
    assert.deepEqual(await scene.desired("edge/modules/$edgeAgent"), AGENT);
    assert.deepEqual(await scene.states("edge"), {
      below: "Targeted",
      base: "Targeted",
      layer: "Targeted",
      other: "Applied",
    });
  });

  test("goes together with configurations for the same modules, by priority", async () => {
    await using scene = new EdgeScene();
    await scene.addEdge("edge");
    const configure = (priority: number): Json => ({
      targetCondition: "from devices.modules where moduleId = 'sensor'",
      priority,
      content: { moduleContent: { "properties.desired.own": 1 } },
    });
    await scene.deploy("base", BASE, 3);
    await scene.put("own", configure(2));
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 5 });
    await scene.update("own", configure(4));
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 5, own: 1 });
    assert.deepEqual(await scene.states("edge/modules/sensor"), { own: "Applied", base: "Applied" });
  });

  test("follows a device that becomes an edge device, and one that ceases to be one", async () => {
    await using scene = new EdgeScene();
    await scene.rest.createDevices("d");
    await scene.deploy("base", BASE);
    const write = async (iotEdge: boolean): Promise<void> => {
      const device = await scene.rest.do("GET", "/devices/d");
      await scene.rest.do("PUT", "/devices/d", { ...device, capabilities: { iotEdge } }, { "if-match": "*" });
      await scene.hub.settled();
    };
    await write(true);
    assert.deepEqual(await scene.desired("d/modules/$edgeHub"), HUB);
    await write(false);
    assert.deepEqual(await scene.states("d"), {});
    assert.deepEqual(await scene.states("d/modules/sensor"), {});
    assert.deepEqual(await scene.desired("d/modules/sensor"), { interval: 5 });
  });

  test("gives a device that is full as many modules as it can have", async () => {
    await using scene = new EdgeScene();
    await scene.addEdge("edge");
    for (let n = 0; n < 49; n++) await scene.rest.do("PUT", `/devices/edge/modules/m${n}`, { moduleId: `m${n}` });
    const modules = { one: {}, two: {} };
    await scene.deploy("base", { $edgeAgent: { "properties.desired": { modules } } });
    await scene.rest.do("GET", "/devices/edge/modules/one");
    await scene.rest.fails([404, "ModuleNotFound"], "GET", "/devices/edge/modules/two");
    assert.deepEqual(await scene.desired("edge/modules/$edgeAgent"), { modules });
  });
});

describe("applyConfigurationContent", () => {
  test("gives content to one edge device through the generated operation, until a deployment comes", async () => {
    await using scene = new EdgeScene();
    await scene.addEdge("edge");
    const { token } = (await scene.hub.tokenCredential().getToken("https://iothubs.azure.net/.default"))!;
    const client = createClient({
      baseUrl: `https://${scene.hub.hostName}`,
      fetch: scene.hub.clientOptions.fetch,
      headers: { Authorization: `Bearer ${token}` },
    });
    const apply = async (modulesContent: Json): Promise<void> => {
      const query = { "api-version": "2021-04-12" } as const;
      const path = { id: "edge" };
      const { response } = await applyConfigurationOnEdgeDevice({ client, query, path, body: { modulesContent } });
      assert.equal(response.status, 204);
    };
    await apply(BASE);
    assert.deepEqual(await scene.desired("edge/modules/$edgeAgent"), AGENT);
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 5 });
    assert.equal((await scene.rest.do("GET", "/devices/edge/modules/sensor")).managedBy, "iotEdge");
    const { desired } = (await scene.rest.do("GET", "/twins/edge/modules/sensor")).properties;
    assert.equal("$lastUpdatedBy" in desired.$metadata, false);
    await scene.patch("edge/modules/sensor", { properties: { desired: { interval: 7 } } });
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 7 });

    await scene.deploy("base", { ...BASE, sensor: { "properties.desired": { interval: 8 } } });
    assert.deepEqual(await scene.states("edge"), { base: "Applied" });
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 8 });
    await apply({ ...BASE, $edgeHub: { "properties.desired": { other: 1 } } });
    await scene.hub.settled();
    assert.deepEqual(await scene.desired("edge/modules/sensor"), { interval: 8 }, "the deployment comes back");
    assert.deepEqual(await scene.desired("edge/modules/$edgeHub"), HUB);
  });

  test("is refused for other devices and other content", async () => {
    await using scene = new EdgeScene();
    await scene.addEdge("edge");
    await scene.rest.createDevices("plain");
    const post = (id: string, code: [number, string], body: Json): Promise<{ body: Json }> =>
      scene.rest.fails(code, "POST", `/devices/${id}/applyConfigurationContent`, body);
    const { body } = await post("plain", [400, "ArgumentInvalid"], { modulesContent: BASE });
    assert.match(body.Message, /not an Azure IoT Edge device/i);
    await post("nobody", [404, "DeviceNotFound"], { modulesContent: BASE });
    const invalid: [number, string] = [400, "InvalidConfigurationContent"];
    await post("edge", invalid, { deviceContent: { "properties.desired.a": 1 } });
    await post("edge", invalid, { modulesContent: {} });
    await post("edge", invalid, {});
    await post("edge", invalid, []);
  });
});
