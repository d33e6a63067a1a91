import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Agent, request } from "node:https";
import { type AddressInfo, createConnection, createServer } from "node:net";
import { describe, test } from "node:test";
import { startHttpListener } from "../../lib/local/sockets/http_listener.ts";
import { type ListenOptions, LocalHub, type ServerCertificate } from "../../lib/local/mod.ts";
import { isOpen } from "../support/ports.ts";
import { signSas } from "../support/sas.ts";

const QUERY = "?api-version=2021-04-12";

interface HttpsAnswer {
  status: number;
  text: string;
  headers: Record<string, string | string[] | undefined>;
}

interface HttpsCall {
  hub: LocalHub;
  url: string;
  ca?: string;
  method?: string;
  body?: string;
  agent?: Agent;
}

function call({ hub, url, ca, method = "GET", body, agent }: HttpsCall): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: signSas({ connectionString: hub.connectionString }) };
    const options = { method, headers, ...(ca && { ca }), ...(agent && { agent }) };
    const outgoing = request(url, options, (response) => {
      const chunks: Uint8Array[] = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode!, text, headers: response.headers });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

describe("hub.listen()", () => {
  test("opens HTTPS and AMQP with TLS on free loopback ports, with one certificate for both", async () => {
    await using hub = new LocalHub();
    const addresses = await hub.listen();
    assert.deepEqual(Object.keys(addresses).sort(), ["amqps", "certificate", "https", "wss"]);
    assert.match(addresses.https!, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.match(addresses.amqps!, /^amqps:\/\/127\.0\.0\.1:\d+$/);
    assert.equal((await hub.listen({ https: 0 })).certificate, addresses.certificate);
  });

  test("answers over HTTPS to a client that trusts the certificate, by address and by name", async () => {
    await using hub = new LocalHub();
    const { https, certificate: ca } = await hub.listen({ https: 0 });
    const url = `${https}/devices/größe${QUERY}`;
    const put = await call({ hub, url: `${https}/devices/d1${QUERY}`, ca: ca!, method: "PUT", body: "{}" });
    assert.equal(put.status, 200);
    assert.match(String(put.headers["etag"]), /^".+"$/);
    assert.equal(JSON.parse(put.text).deviceId, "d1");
    const byName = https!.replace("127.0.0.1", "localhost");
    const get = await call({ hub, url: `${byName}/devices/d1${QUERY}`, ca: ca! });
    assert.equal(get.status, 200);
    const missing = await call({ hub, url: encodeURI(url), ca: ca! });
    assert.equal(missing.headers["iothub-errorcode"], "DeviceNotFound");
  });

  test("is refused by a client that does not trust the certificate", async () => {
    await using hub = new LocalHub();
    const { https } = await hub.listen({ https: 0 });
    await assert.rejects(call({ hub, url: `${https}/devices${QUERY}` }));
  });

  test("answers over HTTP where that is asked for, with no certificate", async () => {
    await using hub = new LocalHub();
    const { http, ws, ...others } = await hub.listen({ http: 0 });
    assert.equal(ws, `${http!.replace("http", "ws")}/$iothub/websocket`);
    assert.deepEqual(others, {});
    const headers = { authorization: signSas({ connectionString: hub.connectionString }) };
    const tags = { a: "ä".repeat(1000) };
    await (await fetch(`${http}/devices/d${QUERY}`, { method: "PUT", headers, body: "{}" })).json();
    const patched = await fetch(`${http}/twins/d${QUERY}`, {
      method: "PATCH",
      headers,
      body: JSON.stringify({ tags }),
    });
    assert.deepEqual((await patched.json()).tags, tags);
    const gone = await fetch(`${http}/devices/d${QUERY}`, {
      method: "DELETE",
      headers: { ...headers, "if-match": "*" },
    });
    assert.equal(gone.status, 204);
    assert.equal(await gone.text(), "");
    const head = await fetch(`${http}/devices/d${QUERY}`, { method: "HEAD", headers });
    assert.deepEqual([head.status, await head.text()], [405, ""]);
    const unknown = await fetch(`${http}/nothing`);
    assert.equal(unknown.status, 404);
    assert.match((await unknown.json()).Message, /^ErrorCode:GenericNotFound;/);
  });

  test("takes a certificate of the caller's", async () => {
    await using maker = new LocalHub({ hostName: "other.example" });
    await using hub = new LocalHub();
    const { makeSelfSignedCertificate } = await import("../../lib/local/sockets/self_signed_certificate.ts");
    const tls = await makeSelfSignedCertificate(["localhost"], ["127.0.0.1"]);
    const { https, certificate } = await hub.listen({ https: 0, tls });
    assert.equal(certificate, tls.cert);
    assert.equal((await call({ hub, url: `${https}/devices${QUERY}`, ca: tls.cert })).status, 200);
    await assert.rejects(call({ hub, url: `${https}/devices${QUERY}`, ca: (await maker.listen()).certificate! }));
  });

  test("aborts the request when the client hangs up", async () => {
    let arrived = (_: Request) => {};
    const arrival = new Promise<Request>((resolve) => arrived = resolve);
    const listener = await startHttpListener((request) => {
      arrived(request);
      return new Promise<never>((_, reject) => request.signal.addEventListener("abort", reject));
    }, { hostname: "127.0.0.1", port: 0 });
    const socket = createConnection(listener.port, "127.0.0.1");
    socket.write("GET /slow HTTP/1.1\r\nHost: hub.example\r\n\r\n");
    const { signal, url } = await arrival;
    assert.equal(new URL(url).pathname, "/slow");
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    socket.destroy();
    await aborted;
    await listener.close();
  });

  test("says which option is wrong", async () => {
    await using hub = new LocalHub();
    const wrong: [options: ListenOptions, name: string, message: string][] = [
      [null as unknown as ListenOptions, "TypeError", "Cannot use options: it must be an object, got null"],
      [{ https: 0, http: -1 }, "RangeError", "Cannot use http -1: it must be a whole number from 0 to 65535"],
      [{ amqps: 65_536 }, "RangeError", "Cannot use amqps 65536: it must be a whole number from 0 to 65535"],
      [{ amqp: "5672" as unknown as number }, "TypeError", "Cannot use amqp: it must be a number, got a string"],
      [{ hostname: 1 as unknown as string }, "TypeError", "Cannot use hostname: it must be a string, got a number"],
      [
        { tls: { cert: "PEM" } as unknown as ServerCertificate },
        "TypeError",
        "Cannot use tls.key: it must be a string, got undefined",
      ],
    ];
    for (const [options, name, message] of wrong) await assert.rejects(hub.listen(options), { name, message });
  });

  test("refuses MQTT, a port in use, and a hub that is closed", async () => {
    const hub = new LocalHub();
    await assert.rejects(hub.listen({ mqtts: 0 }), {
      name: "RangeError",
      message: /Cannot use mqtts: it must be left out: this version/,
    });
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    await assert.rejects(hub.listen({ http: port }), { code: "EADDRINUSE" });
    await new Promise((resolve) => other.close(resolve));
    await hub.close();
    await assert.rejects(hub.listen({ http: 0 }), TypeError);
  });
});

describe("hub.close()", () => {
  test("frees every port at once, although connections are kept alive", async () => {
    const hub = new LocalHub();
    const { certificate: ca, https, http, amqp, amqps } = await hub.listen({ https: 0, http: 0, amqp: 0, amqps: 0 });
    const agent = new Agent({ keepAlive: true });
    await call({ hub, url: `${https}/devices${QUERY}`, ca: ca!, agent });
    await (await fetch(`${http}/nothing`)).text();
    const ports = [https, http, amqp, amqps].map((address) => Number(address!.split(":").at(-1)));
    assert.deepEqual(await Promise.all(ports.map(isOpen)), [true, true, true, true]);
    const started = performance.now();
    await hub.close();
    assert.ok(performance.now() - started < 1000);
    assert.deepEqual(await Promise.all(ports.map(isOpen)), [false, false, false, false]);
    agent.destroy();
  });

  test("ends what clientOptions has opened, which is one port however often it is asked for", async () => {
    const hub = new LocalHub();
    const { amqpEndpoint } = hub.clientOptions;
    const [first, second] = await Promise.all([amqpEndpoint(), hub.clientOptions.amqpEndpoint()]);
    assert.equal(first, second);
    assert.match(first, /^amqp:\/\/127\.0\.0\.1:\d+$/);
    const port = Number(first.split(":").at(-1));
    assert.equal(await isOpen(port), true);
    await hub.close();
    assert.equal(await isOpen(port), false);
  });
});

describe("the self-signed certificate", () => {
  test("is for loopback and the name of the hub, has signed itself, is no authority, and is good now", async () => {
    await using hub = new LocalHub({ hostName: "my-hub.example" });
    const certificate = new X509Certificate((await hub.listen({ https: 0 })).certificate!);
    for (const name of ["localhost", "my-hub.example"]) assert.equal(certificate.checkHost(name), name);
    for (const address of ["127.0.0.1", "::1"]) assert.ok(certificate.checkIP(address));
    assert.equal(certificate.checkHost("other.example"), undefined);
    assert.equal(certificate.subject, "CN=localhost");
    assert.equal(certificate.ca, false);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.parse(certificate.validTo) > Date.now());
  });
});
