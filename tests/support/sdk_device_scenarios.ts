import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { issue, issueAuthority, type IssuedCertificate } from "./certificate_factory.ts";
import { HubWatch } from "./hub_watch.ts";
import type { Json } from "./rest_caller.ts";
import { answerPing, BELOW, NEVER, next, report, ROOT, type SdkDevices } from "./sdk_devices.ts";

/** What differs between protocols in scenarios that all of them have. */
export interface DeviceProtocol {
  /** Cuts the connections of devices. */
  drop(): void;
  /** Throws unless the error says that a report is too large. */
  isTooLarge(error: Json): true;
  /** Throws unless the error says that a key is wrong. */
  isWrongKey(error: Json): boolean;
  /** Throws unless the hub refuses a client with a wrong certificate. */
  assertStranger(client: Json): Promise<void>;
  /** The thumbprint by which a device is known: SHA-1 or SHA-256. */
  readonly thumbprint: "fingerprint" | "fingerprint256";
}

/** Defines the scenarios of devices that are the same by every protocol whose connections last. */
export function defineDeviceScenarios(devices: SdkDevices, protocol: DeviceProtocol): void {
  devices.scenario("opens, sends telemetry, counts as connected, and closes", async () => {
    const [client, deviceId] = await devices.connect("telemetry");
    const message = devices.sdk.message(JSON.stringify({ temperature: 21 }));
    Object.assign(message, { messageId: "m-1", contentType: "application/json", contentEncoding: "utf-8" });
    message.properties.add("level", "high & low/ü");
    await client.sendEvent(message);
    assert.equal(await devices.stateOf(deviceId), "Connected");
    const watch = new HubWatch(devices.sdk.hub);
    await client.close();
    await watch.until({ kind: "connection", change: "disconnected", deviceId, reason: "closed" });
    assert.equal(await devices.stateOf(deviceId), "Disconnected");
  });

  devices.scenario("sends many messages at once", async () => {
    const [client] = await devices.connect("many");
    await Promise.all(Array.from({ length: 200 }, (_, index) => client.sendEvent(devices.sdk.message(`${index}`))));
  });

  devices.scenario("reads its twin", async () => {
    const [client, deviceId] = await devices.connect("twin");
    await devices.registry.updateTwin(deviceId, { properties: { desired: { mode: "eco" } } }, "*");
    const twin = await client.getTwin();
    assert.equal(twin.properties.desired.mode, "eco");
    assert.equal(twin.properties.desired.$version, 2);
    assert.equal(twin.properties.reported.$version, 1);
  });

  devices.scenario("reports properties, and is told what is wrong with them", async () => {
    const [client, deviceId] = await devices.connect("reports");
    const twin = await client.getTwin();
    await report(twin, { firmware: "1.2.0", fan: { speed: 3 } });
    await report(twin, { fan: null });
    const { responseBody } = await devices.registry.getTwin(deviceId);
    const { $metadata: _metadata, ...reported } = responseBody.properties.reported;
    assert.deepEqual(reported, { firmware: "1.2.0", $version: 3 });
    await assert.rejects(report(twin, { large: "x".repeat(40_000) }), protocol.isTooLarge);
    await report(twin, { after: true });
  });

  devices.scenario("is told of desired properties", async () => {
    const [client, deviceId] = await devices.connect("desired");
    const twin = await client.getTwin();
    // The first time, it is what is there; until then, the SDK has not asked for changes.
    assert.equal((await next(twin, "properties.desired")).$version, 1);
    const change = next(twin, "properties.desired");
    await devices.registry.updateTwin(deviceId, { properties: { desired: { mode: "eco" } } }, "*");
    assert.deepEqual(await change, { mode: "eco", $version: 2 });
    assert.equal(twin.properties.desired.mode, "eco");
  });

  devices.scenario("answers direct methods", async () => {
    const [client, deviceId] = await devices.connect("methods");
    client.onDeviceMethod("double", (request: Json, response: Json) => {
      response.send(200, { doubled: request.payload * 2 }).catch(() => {});
    });
    client.onDeviceMethod("fail", (_request: Json, response: Json) => response.send(500).catch(() => {}));
    const { result } = await devices.callMethod(deviceId, "double", 21);
    assert.deepEqual(result, { status: 200, payload: { doubled: 42 } });
    assert.equal((await devices.callMethod(deviceId, "fail")).result.status, 500);
    const calls = [1, 2, 3, 4, 5].map((payload) => devices.callMethod(deviceId, "double", payload));
    assert.deepEqual((await Promise.all(calls)).map(({ result }) => result.payload.doubled), [2, 4, 6, 8, 10]);
  });

  devices.scenario("connects again after a cut, with its twin, methods and messages", async () => {
    const [client, deviceId] = await devices.connect("again");
    client.onDeviceMethod("ping", answerPing);
    const received = next(client, "message");
    await devices.callMethod(deviceId, "ping");
    protocol.drop();
    await client.sendEvent(devices.sdk.message("after the cut"));
    assert.equal((await devices.callMethod(deviceId, "ping")).result.payload, "pong");
    await devices.service.send(deviceId, "hello");
    assert.equal((await received).data.toString(), "hello");
  });

  devices.scenario("is replaced by a second connection of the same device", async () => {
    const [first, deviceId] = await devices.connect("second");
    first.setRetryPolicy(NEVER);
    await first.sendEvent(devices.sdk.message("first"));
    first.on("error", () => {});
    const cut = next(first, "disconnect");
    const second = await devices.sdk.device(devices.transport, deviceId);
    await second.open();
    await second.sendEvent(devices.sdk.message("second"));
    await cut;
    await second.sendEvent(devices.sdk.message("still there"));
    assert.equal(await devices.stateOf(deviceId), "Connected");
  });

  devices.scenario("is refused with another key", async () => {
    const deviceId = await devices.create("stranger");
    const client = await devices.withAddress(deviceId, `SharedAccessKey=${btoa("x".repeat(32))}`);
    client.setRetryPolicy(NEVER);
    await assert.rejects(client.open(), protocol.isWrongKey);
  });

  devices.scenario("is let in with a certificate, and with no other", async () => {
    const names = [`${devices.transport}-x509`];
    const [good, bad] = [await makeSelfSignedCertificate(names), await makeSelfSignedCertificate(names)];
    const primaryThumbprint = new X509Certificate(good.cert)[protocol.thumbprint].replaceAll(":", "");
    const deviceId = await devices.create("x509", { authentication: { x509Thumbprint: { primaryThumbprint } } });
    const client = await withCertificate(devices, deviceId, good);
    await client.open();
    await client.sendEvent(devices.sdk.message("signed"));
    assert.equal((await client.getTwin()).properties.reported.$version, 1);
    await protocol.assertStranger(await withCertificate(devices, deviceId, bad));
  });

  devices.scenario("is let in with a certificate of an authority, and with no other", async () => {
    const deviceId = await devices.create("ca", { authentication: { type: "certificateAuthority" } });
    const by = (commonName: string, ...above: IssuedCertificate[]): Promise<Json> => {
      const { cert, key } = issue({ commonName, issuer: above[0] });
      return withCertificate(devices, deviceId, { cert: [cert, ...above.map(({ cert }) => cert)].join(""), key });
    };
    for (const above of [[ROOT], [BELOW]]) {
      const client = await by(deviceId, ...above);
      await client.open();
      await client.sendEvent(devices.sdk.message("signed"));
    }
    for (const stranger of [await by(deviceId), await by(deviceId, issueAuthority()), await by(`${deviceId}x`, ROOT)]) {
      await protocol.assertStranger(stranger);
    }
  });

  devices.scenario("works for modules: telemetry, output, twin, methods", async () => {
    const [client, deviceId] = await devices.connectModule("modules");
    await client.sendEvent(devices.sdk.message("from a module"));
    await client.sendOutputEvent("out", devices.sdk.message("by an output"));
    client.on("inputMessage", () => {});
    const twin = await client.getTwin();
    assert.equal(twin.properties.desired.$version, 1);
    client.onMethod("ping", answerPing);
    const { result } = await devices.service.invokeDeviceMethod(deviceId, "m1", {
      methodName: "ping",
      connectTimeoutInSeconds: 20,
    });
    assert.deepEqual(result, { status: 200, payload: "pong" });
    assert.equal((await devices.registry.getModule(deviceId, "m1")).responseBody.connectionState, "Connected");
  });
}

/** A client that shows a certificate, and tries once. */
async function withCertificate(
  devices: SdkDevices,
  deviceId: string,
  { cert, key }: { cert: string; key: string },
): Promise<Json> {
  const client = await devices.withAddress(deviceId, "x509=true");
  client.setRetryPolicy(NEVER);
  await client.setOptions({ cert, key });
  return client;
}
