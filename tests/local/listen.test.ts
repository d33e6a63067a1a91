import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { Agent, request } from "node:https";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import process from "node:process";
import { describe, test } from "node:test";
import { parseConnectionString } from "../../mod.ts";
import type { HubRequest } from "../../lib/local/hub_request.ts";
import { readText } from "../../lib/local/rest/body.ts";
import { type HttpListener, startHttpListener } from "../../lib/local/sockets/http_listener.ts";
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
  connectionString?: string;
}

function call(
  { hub, url, ca, method = "GET", body, agent, connectionString = hub.connectionString }: HttpsCall,
): Promise<HttpsAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: signSas({ connectionString }) };
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

/** Sends the bytes of a request to a port that answers none, and waits until it has arrived there. */
async function startSlowRequest(
  bytes: string,
): Promise<{ listener: HttpListener; socket: Socket; request: HubRequest }> {
  let arrived = (_: HubRequest) => {};
  const arrival = new Promise<HubRequest>((resolve) => arrived = resolve);
  const listener = await startHttpListener((request) => {
    arrived(request);
    return new Promise<never>((_, reject) => request.signal.addEventListener("abort", reject));
  }, { hostname: "127.0.0.1", port: 0 });
  const socket = createConnection(listener.port, "127.0.0.1");
  socket.write(bytes);
  return { listener, socket, request: await arrival };
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
    const tls = await makeSelfSignedCertificate(["localhost", "127.0.0.1"]);
    const { https, certificate } = await hub.listen({ https: 0, tls });
    assert.equal(certificate, tls.cert);
    assert.equal((await call({ hub, url: `${https}/devices${QUERY}`, ca: tls.cert })).status, 200);
    await assert.rejects(call({ hub, url: `${https}/devices${QUERY}`, ca: (await maker.listen()).certificate! }));
  });

  test("aborts the request when the client hangs up", async () => {
    const { listener, socket, request: { signal, url } } = await startSlowRequest(
      "GET /slow HTTP/1.1\r\nHost: hub.example\r\n\r\n",
    );
    assert.equal(new URL(url).pathname, "/slow");
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    socket.destroy();
    await aborted;
    await listener.close();
  });

  test("breaks off the body of a client that has gone before anybody reads it", async () => {
    const { listener, socket, request } = await startSlowRequest(
      "POST /slow HTTP/1.1\r\nHost: hub.example\r\nContent-Length: 10\r\n\r\nhalf",
    );
    const gone = new Promise<void>((resolve) => request.signal.addEventListener("abort", () => resolve()));
    socket.destroy();
    await gone;
    await assert.rejects(readText(request, 10), { status: 400 });
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

  test("refuses a port in use, and a hub that is closed", async () => {
    const hub = new LocalHub();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    await assert.rejects(hub.listen({ http: port }), { code: "EADDRINUSE" });
    await new Promise((resolve) => other.close(resolve));
    await hub.close();
    await assert.rejects(hub.listen({ http: 0 }), TypeError);
  });

  test("opens all ports or none", async () => {
    await using hub = new LocalHub();
    const before = hub.connectionString;
    const servers = [createServer(), createServer()];
    for (const server of servers) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const [free, used] = servers.map((server) => (server.address() as AddressInfo).port);
    await new Promise((resolve) => servers[0]!.close(resolve));
    await assert.rejects(hub.listen({ https: free!, amqp: used! }), { code: "EADDRINUSE" });
    await new Promise((resolve) => servers[1]!.close(resolve));
    assert.equal(hub.connectionString, before);
    const { https } = await hub.listen({ https: free!, amqp: used! });
    assert.equal(https, `https://127.0.0.1:${free}`);
  });
});

/** The status of a call by a client that knows the connection string and the certificate, and no more. */
async function statusBy(hub: LocalHub, connectionString: string, ca: string): Promise<number> {
  const [, host] = /^HostName=([^;]+);/.exec(connectionString)!;
  return (await call({ hub, url: `https://${host}/devices${QUERY}`, ca, connectionString })).status;
}

/** Where else than at 127.0.0.1 a hub can listen, without reaching out of this machine. */
const OTHER_ADDRESSES = process.platform === "linux" ? ["127.0.0.2", "localhost"] : ["localhost"];

describe("what a hub that listens hands out", () => {
  test("is a connection string with the port for HTTPS, that needs nothing but the certificate", async () => {
    await using hub = new LocalHub();
    const before = hub.connectionString;
    assert.match(before, /^HostName=localhost;/);
    await hub.listen({ http: 0, amqps: 0 });
    assert.equal(hub.connectionString, before);
    const { https, certificate } = await hub.listen({ https: 0 });
    const host = `localhost:${new URL(https!).port}`;
    for (const policy of ["iothubowner", "registryRead"] as const) {
      const connectionString = hub.connectionStringFor(policy);
      assert.ok(connectionString.startsWith(`HostName=${host};SharedAccessKeyName=${policy};`), connectionString);
      assert.equal(parseConnectionString(connectionString).hostName, host);
      assert.equal(await statusBy(hub, connectionString, certificate!), 200);
    }
    await hub.listen({ https: 0 });
    assert.match(hub.connectionString, new RegExp(`^HostName=${host};`), "the first port stays");
    assert.equal(hub.hostName, "localhost");
  });

  test("names the hub as it was named", async () => {
    await using hub = new LocalHub({ hostName: "my-hub.example" });
    const { https } = await hub.listen({ https: 0 });
    assert.equal(
      parseConnectionString(hub.connectionString).hostName,
      `my-hub.example:${new URL(https!).port}`,
    );
    assert.equal(hub.hostName, "my-hub.example");
  });

  for (const hostname of OTHER_ADDRESSES) {
    test(`leads to the hub when it listens at ${hostname}`, async () => {
      await using hub = new LocalHub();
      const { https, certificate } = await hub.listen({ hostname, https: 0 });
      assert.equal(new URL(https!).hostname, hostname);
      assert.equal(parseConnectionString(hub.connectionString).hostName, new URL(https!).host);
      assert.equal(await statusBy(hub, hub.connectionString, certificate!), 200);
    });
  }

  for (const hostname of ["0.0.0.0", ""]) {
    test(`leads to the hub when it listens everywhere, at "${hostname}"`, async () => {
      await using hub = new LocalHub();
      const ports = { https: 0, http: 0, amqp: 0, amqps: 0 };
      const { certificate, ...addresses } = await hub.listen({ hostname, ...ports });
      for (const address of Object.values(addresses)) assert.match(address ?? "", /:\/\/127\.0\.0\.1:/);
      for (const host of ["localhost", "127.0.0.1"]) {
        const connectionString = hub.connectionString.replace("localhost", host);
        assert.equal(await statusBy(hub, connectionString, certificate!), 200);
      }
    });
  }

  test("is good for the hub only, whichever host of it a token names", async () => {
    await using hub = new LocalHub({ hostName: "my-hub.example" });
    const { https, certificate: ca } = await hub.listen({ https: 0 });
    const url = `${https}/devices${QUERY}`;
    for (const host of ["my-hub.example", "localhost", "127.0.0.1", "[::1]", "LOCALHOST:1"]) {
      const connectionString = hub.connectionString.replace(/=[^;]+/, `=${host}`);
      assert.equal((await call({ hub, url, ca: ca!, connectionString })).status, 200, host);
    }
    const connectionString = hub.connectionString.replace(/=[^;]+/, "=other.example");
    assert.equal((await call({ hub, url, ca: ca!, connectionString })).status, 401);
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
    assert.equal(certificate.subject, "CN=my-hub.example");
    assert.equal(certificate.ca, false);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.parse(certificate.validTo) > Date.now());
  });

  test("is for the address that the hub listens at, and for a name that is an address", async () => {
    await using hub = new LocalHub({ hostName: "127.9.9.9" });
    const certificate = new X509Certificate((await hub.listen({ hostname: "localhost", https: 0 })).certificate!);
    assert.equal(certificate.subject, "CN=127.9.9.9");
    assert.ok(certificate.checkIP("127.9.9.9"));
    for (const hostname of OTHER_ADDRESSES) {
      const there = new X509Certificate((await hub.listen({ hostname, https: 0 })).certificate!);
      assert.ok(hostname === "localhost" ? there.checkHost(hostname) : there.checkIP(hostname), hostname);
    }
  });

  test("is short of nothing when the hub's name is as long as a name can be", async () => {
    const hostName = `${"long-label.".repeat(22)}example`;
    await using hub = new LocalHub({ hostName });
    const { https, certificate: ca } = await hub.listen({ https: 0 });
    assert.equal(new X509Certificate(ca!).checkHost(hostName), hostName);
    assert.equal((await call({ hub, url: `${https}/devices${QUERY}`, ca: ca! })).status, 200);
  });

  test("can stand in one file with those of other hubs of the same name", async () => {
    await using one = new LocalHub();
    await using other = new LocalHub();
    const hubs = [one, other];
    const listening = await Promise.all(hubs.map((hub) => hub.listen({ https: 0 })));
    const certificates = listening.map(({ certificate }) => certificate!);
    for (const ca of [certificates.join(""), certificates.toReversed().join("")]) {
      for (const hub of hubs) assert.equal(await statusBy(hub, hub.connectionString, ca), 200);
    }
  });
});
