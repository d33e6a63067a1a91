import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { faultsOfAnswer, faultsOfRequest } from "../support/description.ts";

describe("openapi.json", () => {
  test("describes what a manager and the local hub exchange", async () => {
    const seen = new Set<string>();
    await using hub = new LocalHub();
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      async fetch(url, init) {
        const request = new Request(url, init);
        const [method, { pathname: path }, text] = [request.method, new URL(url), await request.clone().text()];
        assert.deepEqual(faultsOfRequest({ method, path, body: text === "" ? undefined : JSON.parse(text) }), []);
        const response = await hub.fetch(request);
        const answer = await response.clone().text();
        const body = answer === "" ? undefined : JSON.parse(answer);
        const { status, headers } = response;
        assert.deepEqual(faultsOfAnswer({ method, path, status, headers, body }), []);
        seen.add(
          `${method} ${path.replaceAll(/(?<=devices\/|twins\/|modules\/)(?!query)[^/]+/g, "*")} ${response.status}`,
        );
        return response;
      },
    });

    const device = await registry.createDeviceWithSas("d", { statusReason: "new" });
    await registry.createDeviceWithX509("x", { primaryThumbprint: "A".repeat(40) });
    await registry.createDeviceWithCertificateAuthority("g", { iotEdge: true });
    await registry.updateDeviceWithCertificateAuthority("d", { status: "disabled", etag: device.etag });
    await registry.createModuleWithSas("x", "m", { managedBy: "us" });
    await registry.updateModuleWithCertificateAuthority("x", "m");
    await registry.getModules("g");
    await registry.replaceTwin("x", { tags: { site: "berlin" }, properties: { desired: { interval: 60 } } });
    await registry.updateTwin("x", await registry.getTwin("x"));
    await registry.updateModuleTwin("x", "m", { tags: null, properties: { desired: { a: null } } });
    await registry.replaceModuleTwin("x", "m", await registry.getModuleTwin("x", "m"));
    await registry.bulkCreateOrUpdateDevices([{
      id: "b",
      importMode: "create",
      authentication: device.authentication,
    }]);
    await registry.bulkCreateOrUpdateDevices([{ id: "b", importMode: "create" }]);
    await registry.queryIotHub("SELECT * FROM devices", { maxItemCount: 1 });
    await registry.getDevices({ maxNumberOfDevices: 5 });
    await registry.getServiceStatistics();
    await registry.getDeviceRegistryStatistics();
    await registry.purgeC2dMessages("x");
    hub.device("x").onMethod("reboot", () => ({ status: 200 }));
    await registry.invokeDeviceMethod("x", { methodName: "reboot" });
    await assert.rejects(registry.invokeDeviceModuleMethod("x", "m", { methodName: "reboot" }));
    await assert.rejects(registry.getDevice("nobody"));
    await assert.rejects(registry.createDeviceWithSas("x"));
    await assert.rejects(registry.updateTwin("x", {}, { etag: "stale" }));
    await registry.deleteModule("x", "m");
    await registry.deleteDevice("x");
    assert.deepEqual([...seen].sort(), [
      "DELETE /devices/* 204",
      "DELETE /devices/*/commands 200",
      "DELETE /devices/*/modules/* 204",
      "GET /devices 200",
      "GET /devices/* 404",
      "GET /devices/*/modules 200",
      "GET /statistics/devices 200",
      "GET /statistics/service 200",
      "GET /twins/* 200",
      "GET /twins/*/modules/* 200",
      "PATCH /twins/* 200",
      "PATCH /twins/* 412",
      "PATCH /twins/*/modules/* 200",
      "POST /devices 200",
      "POST /devices 400",
      "POST /devices/query 200",
      "POST /twins/*/methods 200",
      "POST /twins/*/modules/*/methods 404",
      "PUT /devices/* 200",
      "PUT /devices/* 409",
      "PUT /devices/*/modules/* 200",
      "PUT /twins/* 200",
      "PUT /twins/*/modules/* 200",
    ]);
  });

  test("is held against answers: a member too few, and a status that is not said", () => {
    const headers = new Headers({ "content-type": "application/json; charset=utf-8" });
    const twin = { method: "GET", path: "/twins/d", status: 200, headers, body: { deviceId: "d" } };
    assert.match(faultsOfAnswer(twin).join(), /getTwin, 200: the body must have required property 'etag'/);
    assert.deepEqual(faultsOfAnswer({ ...twin, status: 418 }), ["getTwin is not said to answer 418"]);
    assert.deepEqual(faultsOfAnswer({ ...twin, method: "DELETE", path: "/devices/d", status: 204 }), [
      "deleteDevice, 204: there should be no body",
    ]);
  });

  test("is held against the headers of answers", () => {
    const type = { "content-type": "application/json" };
    const faults = (method: string, path: string, body: unknown, headers: Record<string, string>): string[] =>
      faultsOfAnswer({ method, path, status: 200, headers: new Headers(headers), body });
    const read = (headers: Record<string, string>): string[] =>
      faults("GET", "/digitaltwins/d", { $dtId: "d", $metadata: { $model: "" } }, headers);
    assert.deepEqual(read({ ...type, etag: '"MQ=="', "x-ms-request-id": "1" }), []);
    assert.deepEqual(read(type), ["getDigitalTwin, 200: there should be a header ETag"]);
    assert.match(read({ ...type, etag: "MQ==" }).join(), /the header ETag must match pattern/);
    assert.deepEqual(read({ ...type, etag: '"MQ=="', "x-ms-continuation": "t" }), [
      "getDigitalTwin, 200: there should be no header x-ms-continuation",
    ]);
    assert.deepEqual(read({ "content-type": "text/plain", etag: '"MQ=="' }), [
      "getDigitalTwin, 200: the content type should be application/json, and is text/plain",
    ]);
    const call = (status: string): string[] =>
      faults("POST", "/digitaltwins/d/commands/reboot", null, { ...type, "x-ms-command-statuscode": status });
    assert.deepEqual(call("201"), []);
    assert.match(call("fine").join(), /the header x-ms-command-statuscode must be integer/);
  });

  test("is held against requests: a method without a name, an id too long, a bulk of too many", () => {
    const call = { method: "POST", path: "/twins/d/methods", body: {} };
    assert.deepEqual(faultsOfRequest(call), ["invokeDeviceMethod: the body must have required property 'methodName'"]);
    const device = { method: "PUT", path: "/devices/d", body: { deviceId: "d".repeat(129) } };
    assert.match(faultsOfRequest(device).join(), /\/deviceId must NOT have more than 128 characters/);
    const bulk = { method: "POST", path: "/devices", body: Array(101).fill({ id: "d" }) };
    assert.match(faultsOfRequest(bulk).join(), /must NOT have more than 100 items/);
  });
});
