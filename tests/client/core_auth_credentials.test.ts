import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  AzureNamedKeyCredential,
  AzureSASCredential,
  type NamedKeyCredential as CoreNamedKeyCredential,
  type SASCredential as CoreSASCredential,
} from "@azure/core-auth";
import { LocalHub } from "../../lib/local/mod.ts";
import * as http from "../../lib/http.ts";
import * as entry from "../../mod.ts";
import {
  type ClientOptions,
  createSasToken,
  IoTHubError,
  IoTHubRegistryManager,
  type NamedKeyCredential,
  parseConnectionString,
  type SASCredential,
  Statistics,
} from "../../mod.ts";

const HOST_NAME = "hub.example";
const [KEY, OTHER_KEY] = [btoa("planted key of the first kind, 32"), btoa("planted key of another kind, 32.")];

/** The name and the key of a local hub's policy. */
function policyOf(hub: LocalHub, which: "primary" | "secondary" = "primary"): [name: string, key: string] {
  const { sharedAccessKeyName, sharedAccessKey } = parseConnectionString(hub.connectionStringFor("iothubowner", which));
  return [sharedAccessKeyName!, sharedAccessKey!];
}

/** A signature of a local hub's policy. */
function signatureOf(hub: LocalHub, ttlInSeconds = 600): Promise<string> {
  const [keyName, key] = policyOf(hub);
  return createSasToken({ resourceUri: hub.hostName, keyName, key, ttlInSeconds });
}

/** A hub that takes what is signed with one key alone, which may change. It counts those that it has refused. */
class KeyedHub {
  key: string = KEY;
  readonly tokens: string[] = [];
  refused = 0;

  readonly fetch: NonNullable<ClientOptions["fetch"]> = async (_url, init) => {
    const token = new Headers(init!.headers).get("authorization")!;
    this.tokens.push(token);
    // On its way, when the key may change.
    await new Promise((resolve) => setTimeout(resolve));
    if (await this.hasSigned(token)) return Response.json({});
    this.refused++;
    return Response.json({ Message: "ErrorCode:IotHubUnauthorizedAccess;Unauthorized" }, { status: 401 });
  };

  async hasSigned(token: string, key: string = this.key): Promise<boolean> {
    const [, seconds, keyName] = /&se=(\d+)&skn=(\w+)$/.exec(token)!;
    const expiresOn = new Date(Number(seconds) * 1000);
    return token === await createSasToken({ resourceUri: HOST_NAME, key, keyName: keyName!, expiresOn });
  }

  connect(credential: NamedKeyCredential | SASCredential): IoTHubRegistryManager {
    return IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credential, { fetch: this.fetch });
  }
}

test("the types are those of @azure/core-auth, in both directions", () => {
  const named: NamedKeyCredential = new AzureNamedKeyCredential("service", KEY);
  const theirNamed: CoreNamedKeyCredential = named;
  const backNamed: NamedKeyCredential = theirNamed;
  const signature: SASCredential = new AzureSASCredential("SharedAccessSignature sr=a");
  const theirSignature: CoreSASCredential = signature;
  const backSignature: SASCredential = theirSignature;
  assert.deepEqual([backNamed.name, backSignature.signature], ["service", "SharedAccessSignature sr=a"]);
});

describe("every factory of a token credential", () => {
  const factories: Record<string, typeof Statistics.fromTokenCredential> = {};
  for (const [file, exports] of Object.entries({ mod: entry, http })) {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value !== "function" || !("fromTokenCredential" in value) || name === "HubClient") continue;
      const factory = value as unknown as typeof Statistics;
      factories[`${name} of ${file}`] = factory.fromTokenCredential.bind(factory as never) as never;
    }
  }
  assert.ok(Object.keys(factories).length > 15, "the factories were found");

  for (const [name, factory] of Object.entries(factories)) {
    test(`such as that of ${name} takes a name with its key, and a signature`, async () => {
      await using hub = new LocalHub();
      const credentials = [
        new AzureNamedKeyCredential(...policyOf(hub)),
        new AzureSASCredential(await signatureOf(hub)),
      ];
      for (const credential of credentials) {
        await using client = (factory as (...args: unknown[]) => entry.HubClient)(
          hub.hostName,
          credential,
          hub.clientOptions,
        );
        await using statistics = Statistics.fromManager(client);
        assert.equal((await statistics.getDeviceRegistryStatistics()).totalDeviceCount, 0);
      }
    });
  }
});

describe("a name with its key", () => {
  test("is not asked for before the first call but to check it, and signs with the options' life", async () => {
    const hub = new KeyedHub();
    await using registry = IoTHubRegistryManager.fromTokenCredential(
      HOST_NAME,
      new AzureNamedKeyCredential("service", KEY),
      { fetch: hub.fetch, sasTokenTtlInSeconds: 100 },
    );
    assert.equal(hub.tokens.length, 0);
    const before = Date.now();
    await Promise.all([registry.getTwin("a"), registry.getTwin("b")]);
    assert.equal(hub.refused, 0);
    assert.equal(new Set(hub.tokens).size, 1);
    const expiry = Number(/&se=(\d+)/.exec(hub.tokens[0]!)![1]) * 1000;
    assert.ok(Math.abs(expiry - before - 100_000) <= 2_000);
  });

  test("may be changed, and the next call signs with the new one", async () => {
    const hub = new KeyedHub();
    const credential = new AzureNamedKeyCredential("service", KEY);
    await using registry = hub.connect(credential);
    await registry.getTwin("d");
    hub.key = OTHER_KEY;
    credential.update("other", OTHER_KEY);
    await registry.getTwin("d");
    await registry.getTwin("d");
    assert.equal(hub.refused, 0);
    assert.match(hub.tokens[0]!, /&skn=service$/);
    assert.match(hub.tokens[1]!, /&skn=other$/);
    assert.equal(hub.tokens[2], hub.tokens[1]);
  });

  test("may be changed while calls run, and none of them fails", async () => {
    const hub = new KeyedHub();
    const credential = new AzureNamedKeyCredential("service", KEY);
    await using registry = hub.connect(credential);
    let done = 0;
    const callers = Array.from({ length: 20 }, async () => {
      for (let call = 0; call < 25; call++) {
        await registry.getTwin("d");
        // The hub's key changes, and the credential after it: what is on its way meanwhile is signed again.
        if (++done % 50 === 0) {
          hub.key = hub.key === KEY ? OTHER_KEY : KEY;
          credential.update("service", hub.key);
        }
      }
    });
    await Promise.all(callers);
    assert.equal(done, 500);
    assert.ok(hub.refused > 0, "some were on their way");
  });

  test("that the hub refuses is read again, and the call goes through if it has changed meanwhile", async () => {
    const hub = new KeyedHub();
    const credential = new AzureNamedKeyCredential("service", OTHER_KEY);
    await using registry = IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credential, {
      fetch: async (url, init) => {
        const response = await hub.fetch(url, init);
        credential.update("service", KEY);
        return response;
      },
    });
    await registry.getTwin("d");
    assert.deepEqual([hub.tokens.length, hub.refused], [2, 1]);
  });

  test("that the hub does not take ends the call with Unauthorized, and the error names the policy as it is now", async () => {
    const hub = new KeyedHub();
    const credential = new AzureNamedKeyCredential("service", OTHER_KEY);
    await using registry = hub.connect(credential);
    const refusal = { code: "IotHubUnauthorizedAccess", message: /the policy "service"/ };
    await assert.rejects(registry.getTwin("d"), refusal);
    credential.update("registryRead", OTHER_KEY);
    await assert.rejects(registry.getTwin("d"), { message: /the policy "registryRead"/ });
  });

  test("that is changed into none fails the next call, says why without showing it, and can be mended", async () => {
    const hub = new KeyedHub();
    const credential = new AzureNamedKeyCredential("service", KEY);
    await using registry = hub.connect(credential);
    await registry.getTwin("d");
    for (const [name, key] of [["service", "planted, no base64!"], ["ser&vice", KEY]] as const) {
      credential.update(name, key);
      await assert.rejects(registry.getTwin("d"), (error) => {
        assert.ok(error instanceof IoTHubError);
        assert.equal(error.code, "CredentialError");
        assert.match(error.message, /the credential returned no token for hub\.example \(.*\); nothing was sent$/);
        assert.doesNotMatch(`${error.message} ${error.cause}`, /planted|cGxhbnRlZ/);
        return true;
      });
    }
    assert.equal(hub.tokens.length, 1);
    credential.update("service", KEY);
    await registry.getTwin("d");
    assert.equal(hub.refused, 0);
  });

  test("signs for messages as well, the new one after a change", async () => {
    await using hub = new LocalHub();
    const credential = new AzureNamedKeyCredential(...policyOf(hub));
    await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, credential, hub.clientOptions);
    await registry.createDeviceWithSas("d");
    await registry.sendC2dMessage("d", "first");
    // A key of no policy: what is authorized stays so, and the next connection is not.
    credential.update("iothubowner", KEY);
    await registry.sendC2dMessage("d", "second");
    hub.faults.drop();
    await assert.rejects(registry.sendC2dMessage("d", "lost"), { code: "Unauthorized" });
    credential.update(...policyOf(hub, "secondary"));
    await registry.sendC2dMessage("d", "third");
    assert.equal((await registry.getDevice("d")).cloudToDeviceMessageCount, 3);
  });
});

describe("a signature", () => {
  test("is sent as it is, and the new one after a change", async () => {
    const hub = new KeyedHub();
    const sign = (key: string) => createSasToken({ resourceUri: HOST_NAME, keyName: "service", key });
    const [first, second] = [await sign(KEY), await sign(OTHER_KEY)];
    const credential = new AzureSASCredential(first);
    await using registry = hub.connect(credential);
    await registry.getTwin("d");
    hub.key = OTHER_KEY;
    credential.update(second);
    await registry.getTwin("d");
    assert.deepEqual(hub.tokens, [first, second]);
    assert.equal(hub.refused, 0);
  });

  test("that the hub refuses costs one request, and two where it has changed meanwhile", async () => {
    const hub = new KeyedHub();
    const sign = (key: string) => createSasToken({ resourceUri: HOST_NAME, keyName: "service", key });
    const credential = new AzureSASCredential(await sign(OTHER_KEY));
    await using registry = hub.connect(credential);
    const refusal = { code: "IotHubUnauthorizedAccess", message: /the given SharedAccessSignature/ };
    await assert.rejects(registry.getTwin("d"), refusal);
    assert.equal(hub.tokens.length, 1);
    const good = await sign(KEY);
    const forward = hub.connect({
      get signature() {
        return hub.tokens.length > 1 ? good : credential.signature;
      },
    });
    await forward.getTwin("d");
    assert.deepEqual([hub.tokens.length, hub.refused], [3, 2]);
    await forward.close();
  });

  test("authorizes messages as well, the new one after a change", async () => {
    await using hub = new LocalHub();
    const credential = new AzureSASCredential(await signatureOf(hub));
    await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, credential, hub.clientOptions);
    await registry.createDeviceWithSas("d");
    await registry.sendC2dMessage("d", "first");
    credential.update(await createSasToken({ resourceUri: hub.hostName, keyName: "iothubowner", key: KEY }));
    hub.faults.drop();
    await assert.rejects(registry.sendC2dMessage("d", "lost"), { code: "Unauthorized" });
    credential.update(await signatureOf(hub));
    await registry.sendC2dMessage("d", "second");
    assert.equal((await registry.getDevice("d")).cloudToDeviceMessageCount, 2);
  });
});

test("what is neither is refused at once, and not shown", () => {
  const bad: [credential: object, kind: typeof TypeError | typeof RangeError, says: RegExp][] = [
    [
      { key: KEY },
      TypeError,
      /^Cannot use credential: it must be an object with a method getToken, a name and a key, or a signature, got an object$/,
    ],
    [{ name: "service" }, TypeError, /^Cannot use credential: /],
    [{ name: "service", key: 5 }, TypeError, /^Cannot use credential: /],
    [{ signature: 5 }, TypeError, /^Cannot use credential: /],
    [
      { name: "service", key: "planted, no base64" },
      RangeError,
      /^Cannot use the credential's key: it must be base64$/,
    ],
    [{ name: "ser vice", key: KEY }, RangeError, /^Cannot use the policy name: /],
    [{ signature: "sr=planted" }, RangeError, /^Cannot use the credential's signature: it must be a SAS token, /],
    [{ signature: "SharedAccessSignature planted\n" }, RangeError, /^Cannot use the credential's signature: /],
  ];
  for (const [credential, kind, says] of bad) {
    assert.throws(
      () => IoTHubRegistryManager.fromTokenCredential(HOST_NAME, credential as NamedKeyCredential),
      (error) => {
        assert.ok(error instanceof Error);
        assert.equal(error.constructor, kind, `${error}`);
        assert.match(error.message, says);
        assert.doesNotMatch(error.message, /planted|cGxhbnRlZ/);
        return true;
      },
    );
  }
});
