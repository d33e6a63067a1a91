import assert from "node:assert/strict";
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { describe, test } from "node:test";
import { connect } from "node:tls";
import type { Sender } from "rhea";
import { LocalHub } from "../../lib/local/mod.ts";
import { binary } from "../support/amqp_bytes.ts";
import { issue, issueAuthority, type IssuedCertificate, thumbprintOf } from "../support/certificate_factory.ts";
import { BareClient, once, outcomeOf } from "../support/local_amqp.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { SASL_AUTH, SASL_OK, saslOutcome } from "../support/sasl_outcome.ts";

/** Bun's HTTPS server has no way to tell of a client's certificate. */
const isHidden = "Bun" in globalThis ? "the HTTPS server of Bun does not show the certificates of clients" : false;

const ROOT = issueAuthority();
const BELOW = issue({ commonName: "Below", issuer: ROOT, isAuthority: true });

/** A certificate with those above it, as a client shows them. */
interface Shown {
  readonly cert: string;
  readonly key: string;
}

function shown(leaf: IssuedCertificate, ...above: IssuedCertificate[]): Shown {
  return { cert: [leaf, ...above].map(({ cert }) => cert).join(""), key: leaf.key };
}

/** A certificate of an identity that an authority below the root has signed. */
function signed(commonName: string): Shown {
  return shown(issue({ commonName, issuer: BELOW }), BELOW);
}

/** A hub that listens with TLS, with the devices `d` and `s`: of an authority, and with thumbprints. */
class CertificateHub implements AsyncDisposable {
  readonly hub: LocalHub = new LocalHub({ deviceAuthorities: [issueAuthority("Other").cert, ROOT.cert] });
  readonly rest: RestCaller = new RestCaller(this.hub);
  readonly clients: BareClient[] = [];
  ports: { https: number; amqps: number } = { https: 0, amqps: 0 };
  ca: string = "";

  static async start(): Promise<CertificateHub> {
    const started = new CertificateHub();
    const { https, amqps, certificate } = await started.hub.listen({ https: 0, amqps: 0 });
    started.ports = { https: Number(new URL(https!).port), amqps: Number(amqps!.split(":").at(-1)) };
    started.ca = certificate!;
    const authentication = { type: "certificateAuthority" };
    await started.put("/devices/d", { deviceId: "d", authentication });
    await started.put("/devices/d/modules/m", { deviceId: "d", moduleId: "m", authentication });
    return started;
  }

  async put(path: string, body: unknown, headers: Record<string, string> = {}): Promise<void> {
    await this.rest.do("PUT", path, body, headers);
  }

  /** The status of telemetry of a device over HTTPS, on a connection of its own. */
  send(deviceId: string, by: Partial<Shown>, headers: Record<string, string> = {}): Promise<number> {
    return new Promise((resolve, reject) => {
      const path = `/devices/${deviceId}/messages/events?api-version=2021-04-12`;
      const { ca, ports: { https: port } } = this;
      request({ host: "localhost", port, path, method: "POST", ca, agent: false, headers, ...by }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode!));
      }).on("error", reject).end("x");
    });
  }

  /** An AMQP client with a certificate. */
  connect(by: Partial<Shown>, options: Record<string, unknown> = {}): BareClient {
    const { ca, ports: { amqps } } = this;
    const client = new BareClient(amqps, { transport: "tls", host: "localhost", ca, ...by, ...options });
    this.clients.push(client);
    return client;
  }

  /** The error condition of a link for telemetry, or the outcome of a message on it. */
  async outcome(client: BareClient, path: string): Promise<string> {
    const sender = client.connection.open_sender(`${path}/messages/events`);
    const refused = once(sender, "sender_error").then(() => conditionOf(sender));
    const sent = once(sender, "sendable").then(() => outcomeOf(sender, {})).then(() => "accepted");
    return await Promise.race([refused, sent]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.clients.map((client) => client[Symbol.asyncDispose]()));
    await this.hub.close();
  }
}

function conditionOf(sender: Sender): string {
  return (sender.error as { condition: string }).condition;
}

describe("A certificate over HTTPS", { skip: isHidden }, () => {
  test("lets a device in by its thumbprint, SHA-1 or SHA-256, primary or secondary, and nobody else", async () => {
    await using all = await CertificateHub.start();
    const [one, two] = [issue({ commonName: "any name" }), issue({ commonName: "s", notAfter: new Date(0) })];
    const primaryThumbprint = (await thumbprintOf(one, "SHA-1")).toLowerCase();
    const secondaryThumbprint = await thumbprintOf(two, "SHA-256");
    const x509Thumbprint = { primaryThumbprint, secondaryThumbprint };
    await all.put("/devices/s", { deviceId: "s", authentication: { type: "selfSigned", x509Thumbprint } });
    assert.deepEqual(await Promise.all([all.send("s", one), all.send("s", two)]), [204, 204]);
    assert.deepEqual(await Promise.all([all.send("d", one), all.send("nobody", one)]), [401, 401]);
    assert.equal(await all.send("s", issue({ commonName: "s" })), 401);
    assert.equal(await all.send("s", signed("s")), 401);
    assert.equal(await all.send("s", {}), 401);
    assert.equal((await all.rest.do("GET", "/devices/s")).connectionState, "Disconnected");
  });

  test("lets a device in by an authority, on each new connection", async () => {
    await using all = await CertificateHub.start();
    const good = signed("d");
    for (let count = 0; count < 3; count++) assert.equal(await all.send("d", good), 204);
    assert.equal(await all.send("d", shown(issue({ commonName: "d", issuer: ROOT }))), 204);
    const bad = {
      "another name": signed("D"),
      "another issuer": shown(issue({ commonName: "d", issuer: issueAuthority() })),
      "no intermediate": shown(issue({ commonName: "d", issuer: BELOW })),
      "its own issuer": shown(issue({ commonName: "d" })),
      "expired": shown(issue({ commonName: "d", issuer: ROOT, notAfter: new Date(Date.now() - 1000) })),
    };
    for (const [what, by] of Object.entries(bad)) assert.equal(await all.send("d", by), 401, what);
  });

  test("lets a device in that takes up the TLS session of an earlier connection", async () => {
    await using all = await CertificateHub.start();
    const { ca, ports: { https: port } } = all;
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      let session: Buffer | undefined;
      for (let count = 0; count < 3; count++) {
        const options = { host: "localhost", port, ca, maxVersion, ...(session && { session }), ...signed("d") };
        const socket = connect(options);
        socket.on("session", (latest: Buffer) => session = latest);
        socket.write(
          "POST /devices/d/messages/events?api-version=2021-04-12 HTTP/1.1\r\n" +
            "host: localhost\r\nconnection: close\r\ncontent-length: 1\r\n\r\nx",
        );
        const answer = await text(socket);
        assert.match(answer, /^HTTP\/1\.1 204 /, `${maxVersion}, connection ${count}`);
      }
    }
  });

  test("counts only where there is no token, and for devices only", async () => {
    await using all = await CertificateHub.start();
    assert.equal(await all.send("d", signed("d"), { authorization: "SharedAccessSignature sr=a&sig=b&se=1" }), 401);
    const { ca, ports: { https: port } } = all;
    const status = await new Promise((resolve, reject) => {
      const path = "/devices/d?api-version=2021-04-12";
      request({ host: "localhost", port, path, ca, agent: false, ...signed("d") }, (response) => {
        response.resume();
        resolve(response.statusCode);
      }).on("error", reject).end();
    });
    assert.equal(status, 401);
  });

  test("lets in no longer when the device is disabled, deleted or signs in in another way", async () => {
    await using all = await CertificateHub.start();
    const good = signed("d");
    const any = { "if-match": "*" };
    const authentication = { type: "certificateAuthority" };
    assert.equal(await all.send("d", good), 204);
    await all.put("/devices/d", { deviceId: "d", status: "disabled", authentication }, any);
    assert.equal(await all.send("d", good), 401);
    await all.put("/devices/d", { deviceId: "d", authentication }, any);
    assert.equal(await all.send("d", good), 204);
    await all.put("/devices/d", { deviceId: "d" }, any);
    assert.equal(await all.send("d", good), 401);
    await all.rest.do("DELETE", "/devices/d", undefined, any);
    assert.equal(await all.send("d", good), 401);
  });
});

describe("A certificate over AMQP", () => {
  const LAYERS: readonly (readonly [string, Record<string, unknown>])[] = [
    ["no SASL", {}],
    ["SASL ANONYMOUS", { username: "anonymous" }],
    ["SASL EXTERNAL", { enable_sasl_external: true }],
  ];
  for (const [layer, options] of LAYERS) {
    test(`lets devices and modules in by an authority, for themselves alone, with ${layer}`, async () => {
      await using all = await CertificateHub.start();
      const device = all.connect(signed("d"), options);
      assert.equal(await all.outcome(device, "/devices/d"), "accepted");
      assert.equal(await all.outcome(device, "/devices/d/modules/m"), "amqp:unauthorized-access");
      const module = all.connect(signed("d/m"), options);
      assert.equal(await all.outcome(module, "/devices/d/modules/m"), "accepted");
      assert.equal(await all.outcome(module, "/devices/d"), "amqp:unauthorized-access");
      const stranger = all.connect(shown(issue({ commonName: "d", issuer: issueAuthority() })), options);
      assert.equal(await all.outcome(stranger, "/devices/d"), "amqp:unauthorized-access");
    });
  }

  test("lets devices in by their thumbprint with SASL EXTERNAL", async () => {
    await using all = await CertificateHub.start();
    const own = issue({ commonName: "any name" });
    const x509Thumbprint = { primaryThumbprint: await thumbprintOf(own, "SHA-256"), secondaryThumbprint: null };
    await all.put("/devices/s", { deviceId: "s", authentication: { type: "selfSigned", x509Thumbprint } });
    const options = { enable_sasl_external: true };
    assert.equal(await all.outcome(all.connect(own, options), "/devices/s"), "accepted");
    const other = all.connect(issue({ commonName: "any name" }), options);
    assert.equal(await all.outcome(other, "/devices/s"), "amqp:unauthorized-access");
  });

  test("is what SASL EXTERNAL is offered for, and PLAIN is refused by its outcome", async () => {
    await using all = await CertificateHub.start();
    const { ca, ports: { amqps: port } } = all;
    const outcome = (by: Partial<Shown>, mechanism: string, answer: string): Promise<[string, number]> => {
      const socket = connect({ host: "localhost", port, ca, ...by });
      return saslOutcome(socket, mechanism, binary([...new TextEncoder().encode(answer)])).finally(() =>
        socket.destroy()
      );
    };
    const [without, withOne] = ["ANONYMOUS MSSBCBS PLAIN", "ANONYMOUS MSSBCBS PLAIN EXTERNAL"];
    for (const response of ["", "d", "\0"]) {
      assert.deepEqual(await outcome(signed("d"), "EXTERNAL", response), [withOne, SASL_OK]);
      assert.deepEqual(await outcome({}, "EXTERNAL", response), [without, SASL_AUTH]);
    }
    const user = "\0d@sas.localhost\0SharedAccessSignature sr=localhost&sig=AAAA&se=9999999999";
    assert.deepEqual(await outcome({}, "PLAIN", user), [without, SASL_AUTH]);
    assert.deepEqual(await outcome(signed("d"), "PLAIN", user), [withOne, SASL_AUTH]);
  });

  test("is void at once when the device is disabled, deleted or signs in in another way", async () => {
    const authentication = { type: "certificateAuthority" };
    const any = { "if-match": "*" };
    const [gone, refused] = ["amqp:not-found", "amqp:unauthorized-access"];
    const changes: [(all: CertificateHub) => Promise<unknown>, string, string][] = [
      [(all) => all.put("/devices/d", { deviceId: "d" }, any), refused, refused],
      [(all) => all.put("/devices/d", { deviceId: "d", status: "disabled", authentication }, any), gone, gone],
      [(all) => all.rest.do("DELETE", "/devices/d", undefined, any), gone, refused],
    ];
    for (const [change, condition, later] of changes) {
      await using all = await CertificateHub.start();
      const sender = await all.connect(signed("d")).openSender("/devices/d/messages/events");
      const ended = once(sender, "sender_error");
      await change(all);
      await ended;
      assert.equal(conditionOf(sender), condition);
      assert.equal(await all.outcome(all.connect(signed("d")), "/devices/d"), later);
    }
  });
});

describe("The option deviceAuthorities", () => {
  const as = <T>(value: unknown): T => value as T;
  const LEAF = issue({ commonName: "d", issuer: ROOT });

  test("takes several certificates in a text, and authorities below others", async () => {
    await using hub = new LocalHub({ deviceAuthorities: [`text\n${ROOT.cert}\n${BELOW.cert}`, BELOW.cert] });
    assert.equal(hub.hostName, "localhost");
  });

  const wrong: [unknown, RegExp][] = [
    [ROOT.cert, /^TypeError: Cannot use deviceAuthorities: it must be an array of texts, got a string$/],
    [[7], /^TypeError: Cannot use deviceAuthorities\[0\]: it must be a string, got a number$/],
    [[ROOT.cert, ""], /^RangeError: Cannot use deviceAuthorities\[1\]: it must be the certificate of an authority/],
    [[ROOT.key], /^RangeError: Cannot use deviceAuthorities\[0\]/],
    [[LEAF.cert], /^RangeError: Cannot use deviceAuthorities\[0\]: .*\(CA:TRUE\) in PEM$/],
    [[ROOT.cert.slice(0, 200)], /^RangeError: Cannot use deviceAuthorities\[0\]/],
    [[ROOT.cert.replace("MII", "AII")], /^RangeError: Cannot use deviceAuthorities\[0\]/],
  ];
  for (const [deviceAuthorities, error] of wrong) {
    test(`is refused with ${error.source}`, () => {
      assert.throws(() => new LocalHub({ deviceAuthorities: as(deviceAuthorities) }), (thrown) => {
        assert.match(String(thrown), error);
        assert.doesNotMatch(String(thrown), /BEGIN/);
        return true;
      });
    });
  }
});
