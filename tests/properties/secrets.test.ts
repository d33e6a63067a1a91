import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import fc from "fast-check";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import { holds, outcomeOf } from "../support/properties.ts";
import { type HubScript, startScriptedHub } from "../support/scripted_hub.ts";
import { shownTexts } from "../support/secret_search.ts";

const HOST_NAME = "myhub.azure-devices.net";

const key = fc.uint8Array({ minLength: 16, maxLength: 48 }).map((bytes) => Buffer.from(bytes).toString("base64"));

/** A credential, as a part of a connection string. */
const signIn: fc.Arbitrary<string> = fc.oneof(
  key.map((key) => `SharedAccessKeyName=service;SharedAccessKey=${key}`),
  key.map((key) => `SharedAccessSignature=${readySignature(key)}`),
);

/** Ways to write a text, each of which may be applied to the outcome of another. */
const layers: fc.Arbitrary<(text: string) => string> = fc.array(
  fc.constantFrom(
    encodeURIComponent,
    (text: string) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
    (text: string) => JSON.stringify(text).slice(1, -1),
    (text: string) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
    (text: string) => text.replace(/[+/=&%]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`),
  ),
  { maxLength: 3 },
).map((steps) => (text) => steps.reduce((text, step) => step(text), text));

/** Words that may stand around an echo. */
const words = fc.constantFrom(
  "",
  " ",
  "Unauthorized: ",
  "token=",
  '{"a":"',
  "Tracking ID:",
  "https://h.example/?x=",
  "'",
);

/** What remains of a text when nothing in it is encoded any more. */
function bare(text: string): string {
  for (;;) {
    const decoded = text
      .replace(/\\u([0-9a-f]{4})/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))
      .replace(/%([0-7][0-9a-f])/gi, (_, code) => String.fromCharCode(parseInt(code, 16)))
      .replace(/\\(?=.)/gs, "");
    if (decoded === text) return text;
    text = decoded;
  }
}

function assertHidden(shown: unknown, secrets: readonly string[]): void {
  for (const [how, text] of shownTexts(shown)) {
    const found = secrets.find((secret) => bare(text).includes(secret));
    assert.equal(found, undefined, `${how} shows a secret: ${text.slice(0, 1000)}`);
  }
}

/** The signature in a token, or the token itself. */
function secretOf(authorization: string): string {
  const signature = /\bsig=([^&]+)/.exec(authorization)?.[1];
  return signature === undefined ? authorization.replace(/^\S+ /, "") : decodeURIComponent(signature);
}

function readySignature(signature: string): string {
  return `SharedAccessSignature sr=${HOST_NAME}&sig=${encodeURIComponent(signature)}&se=4102444800&skn=p`;
}

function connect(signIn: string, options: ClientOptions): IoTHubRegistryManager {
  const retryOptions = { maxRetries: 0 };
  return IoTHubRegistryManager.fromConnectionString(`HostName=${HOST_NAME};${signIn}`, { retryOptions, ...options });
}

describe("what a peer echoes, in whatever encoding and place, is hidden", () => {
  test("over HTTP, tokens and keys alike", async () => {
    const place = fc.constantFrom<(echo: string) => [body: string, headers: Record<string, string>]>(
      (echo) => [echo, {}],
      (echo) => [JSON.stringify({ Message: echo }), {}],
      (echo) => [JSON.stringify({ Message: `ErrorCode:${echo}` }), {}],
      (echo) => [JSON.stringify({ Message: `ErrorCode:DeviceNotFound;${echo}`, ExceptionMessage: echo }), {}],
      (echo) => [JSON.stringify({ errorCode: echo, message: "m" }), {}],
      (echo) => [JSON.stringify({ trackingId: echo, message: "m" }), {}],
      (echo) => [JSON.stringify({ Message: JSON.stringify({ message: echo, trackingId: echo, errorCode: echo }) }), {}],
      (echo) => ["", { "iothub-errorcode": encodeURI(echo) }],
    );
    const status = fc.integer({ min: 400, max: 599 });
    const property = fc.asyncProperty(signIn, key, key, layers, words, place, status, async (...given) => {
      const [signIn, primaryKey, secondaryKey, encode, before, place, status] = given;
      const secrets = [primaryKey, secondaryKey];
      await using registry = connect(signIn, {
        fetch: (_url, init) => {
          const token = new Headers(init!.headers).get("authorization")!;
          secrets.push(secretOf(token));
          const [body, headers] = place(before + encode(`${token} ${init!.body} ${primaryKey}`));
          return Promise.resolve(new Response(body, { status, headers }));
        },
      });
      const outcome = await outcomeOf(() => registry.createDeviceWithSas("d", { primaryKey, secondaryKey }));
      assert.ok("error" in outcome && secrets.length > 2);
      assertHidden(outcome.error, secrets);
    });
    await holds(property, 400);
  });

  test("over AMQP, in every field of a condition and of a reply", async () => {
    let script: HubScript = {};
    await using hub = await startScriptedHub({
      onToken: (request, number) => script.onToken ? script.onToken(request, number) : { status: 200 },
      onMessage: (context) => script.onMessage!(context),
      onAttach(link) {
        if (script.onAttach) return script.onAttach(link);
        link.set_target({ address: link.target.address });
        link.add_credit(10);
      },
    });
    const conditions = fc.constantFrom<(echo: string) => { condition: string; description?: string; info?: object }>(
      (echo) => ({ condition: echo }),
      (echo) => ({ condition: "amqp:internal-error", description: echo }),
      (echo) => ({ condition: "amqp:not-found", info: { "com.microsoft:tracking-id": echo } }),
      (echo) => ({ condition: "amqp:not-allowed", description: JSON.stringify({ message: echo, trackingId: echo }) }),
    );
    type Scene = (echo: () => string) => HubScript;
    const scene: fc.Arbitrary<Scene> = fc.oneof(
      fc.constantFrom<Scene>(
        (echo) => ({ onToken: () => ({ status: 401, description: echo() }) }),
        (echo) => ({ onToken: () => ({ status: 400, description: JSON.stringify({ trackingId: echo() }) }) }),
      ),
      conditions.map((of): Scene => (echo) => ({ onMessage: ({ delivery }) => void delivery.reject(of(echo())) })),
      conditions.map((of): Scene => (echo) => ({ onMessage: ({ connection }) => connection.close(of(echo())) })),
      conditions.map((of): Scene => (echo) => ({ onAttach: (link) => link.close(of(echo())) })),
    );
    const property = fc.asyncProperty(signIn, scene, layers, words, async (signIn, scene, encode, before) => {
      const known = hub.tokens.length;
      const token = (): string => String(hub.tokens[known]!.body);
      script = scene(() => before + encode(token()));
      await using registry = connect(signIn, { amqpEndpoint: hub.endpoint });
      const outcome = await outcomeOf(() => registry.sendC2dMessage("d", "hello", {}, { timeoutInMs: 10_000 }));
      assert.ok("error" in outcome);
      assertHidden(outcome.error, [secretOf(token())]);
      assert.ok(String(outcome.error).length < 1_500);
    });
    await holds(property, 100);
  });

  test("and so is the query of a WebSocket's URL", async () => {
    const scheme = fc.constantFrom("ws://127.0.0.1:9", "wss://127.0.0.1:9", "wss:/127.0.0.1", "wss://u:p@127.0.0.1");
    const name = fc.constantFrom("sig", "code", "anything");
    const path = fc.constantFrom("", "/", "/a/b");
    const property = fc.asyncProperty(scheme, path, name, key, async (scheme, path, name, key) => {
      const amqpEndpoint = `${scheme}${path}?${name}=${encodeURIComponent(key)}`;
      const outcome = await outcomeOf(async () => {
        await using registry = connect(`SharedAccessSignature=${readySignature("c2VjcmV0")}`, { amqpEndpoint });
        await registry.sendC2dMessage("d", "hello", {}, { timeoutInMs: 10_000 });
      });
      assert.ok("error" in outcome);
      assertHidden(outcome.error, [key]);
    });
    await holds(property, 40);
  });
});
