import assert from "node:assert/strict";
import { describe, mock, test, type TestContext } from "node:test";
import type { TokenCredential as CoreTokenCredential } from "@azure/core-auth";
import { IoTHubError, IoTHubRegistryManager, type TokenCredential } from "../../lib/http.ts";

const CONNECTION_STRING = `HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=${
  btoa("planted-secret-planted-secret-01")
}`;

interface Seen {
  authorizations: string[];
  fetch: (url: string, init?: RequestInit) => Promise<Response>;
}

/** A hub that notes who called and knows no devices. */
function listener(): Seen {
  const authorizations: string[] = [];
  return {
    authorizations,
    fetch: (_url, init) => {
      authorizations.push((init!.headers as Record<string, string>)["Authorization"]!);
      return Promise.resolve(new Response("{}"));
    },
  };
}

/** Stops the clock for one test. On Deno it does not start again by itself, nor in time by `t.after`. */
function freezeClock(t: TestContext): Disposable {
  t.mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 });
  return { [Symbol.dispose]: () => t.mock.timers.reset() };
}

function expiryOf(authorization: string): number {
  return Number(/&se=(\d+)/.exec(authorization)![1]) * 1000;
}

describe("a shared access policy", () => {
  test("is not used before the first call", async (t) => {
    const sign = t.mock.method(crypto.subtle, "sign");
    const importKey = t.mock.method(crypto.subtle, "importKey");
    await using _registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING);
    await Promise.resolve();
    assert.equal(sign.mock.callCount() + importKey.mock.callCount(), 0);
  });

  test("signs once for any number of first calls, and not again while the token is good", async (t) => {
    const sign = t.mock.method(crypto.subtle, "sign");
    const hub = listener();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch: hub.fetch });
    await Promise.all(Array.from({ length: 50 }, (_, index) => registry.getTwin(`d${index}`)));
    assert.equal(sign.mock.callCount(), 1);
    await registry.getTwin("d");
    assert.equal(sign.mock.callCount(), 1);
    assert.equal(new Set(hub.authorizations).size, 1);
    assert.match(hub.authorizations[0]!, /^SharedAccessSignature sr=hub\.example&sig=\S+&se=\d+&skn=service$/);
  });

  test("renews the token before it expires, with the key it has imported", async (t) => {
    using _clock = freezeClock(t);
    const importKey = t.mock.method(crypto.subtle, "importKey");
    const hub = listener();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      fetch: hub.fetch,
      sasTokenTtlInSeconds: 1000,
    });
    await registry.getTwin("d");
    assert.equal(expiryOf(hub.authorizations[0]!), Date.now() + 1_000_000);
    t.mock.timers.tick(899_000);
    await registry.getTwin("d");
    assert.equal(hub.authorizations[1], hub.authorizations[0]);
    t.mock.timers.tick(2_000);
    await registry.getTwin("d");
    assert.equal(expiryOf(hub.authorizations[2]!), Date.now() + 1_000_000);
    assert.equal(importKey.mock.callCount(), 1);
  });

  test("with a ready-made token sends that", async () => {
    const hub = listener();
    const token = `SharedAccessSignature sr=hub.example&sig=x%3D&se=${Math.ceil(Date.now() / 1000) + 999}&skn=p`;
    const text = `HostName=hub.example;SharedAccessSignature=${token}`;
    await using registry = IoTHubRegistryManager.fromConnectionString(text, { fetch: hub.fetch });
    await registry.getTwin("d");
    assert.deepEqual(hub.authorizations, [token]);
  });

  test("signs for the host name, whatever endpoint is called", async () => {
    const urls: string[] = [];
    const hub = listener();
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      endpoint: "http://localhost:8080/",
      fetch: (url, init) => {
        urls.push(url);
        return hub.fetch(url, init);
      },
    });
    await registry.getServiceStatistics();
    assert.deepEqual(urls, ["http://localhost:8080/statistics/service?api-version=2021-04-12"]);
    assert.match(hub.authorizations[0]!, /sr=hub\.example&/);
  });
});

describe("a token credential", () => {
  function credential(life: number, refreshAfter?: number): { scopes: unknown[] } & TokenCredential {
    const scopes: unknown[] = [];
    return {
      scopes,
      getToken(scope) {
        scopes.push(scope);
        return Promise.resolve({
          token: `token-${scopes.length}`,
          expiresOnTimestamp: Date.now() + life,
          ...(refreshAfter !== undefined && { refreshAfterTimestamp: Date.now() + refreshAfter }),
        });
      },
    };
  }

  test("is asked on the first call, once for concurrent ones, with the default scope", async () => {
    const source = credential(3_600_000);
    const hub = listener();
    await using registry = IoTHubRegistryManager.fromTokenCredential("hub.example", source, { fetch: hub.fetch });
    assert.equal(source.scopes.length, 0);
    await Promise.all(Array.from({ length: 20 }, () => registry.getTwin("d")));
    assert.deepEqual(source.scopes, ["https://iothubs.azure.net/.default"]);
    assert.deepEqual(new Set(hub.authorizations), new Set(["Bearer token-1"]));
  });

  test("is asked with another scope where one is given", async () => {
    const source = credential(3_600_000);
    await using registry = IoTHubRegistryManager.fromTokenCredential("https://hub.example/", source, {
      fetch: listener().fetch,
      tokenScope: "https://iothubs.azure.cn/.default",
    });
    await registry.getTwin("d");
    assert.deepEqual(source.scopes, ["https://iothubs.azure.cn/.default"]);
  });

  const renewals: [string, number | undefined, number][] = [
    ["five minutes before its token expires", undefined, 3_299_000],
    ["when it says so itself", 60_000, 59_000],
  ];
  for (const [when, refreshAfter, fresh] of renewals) {
    test(`is asked again ${when}`, async (t) => {
      using _clock = freezeClock(t);
      const source = credential(3_600_000, refreshAfter);
      const options = { fetch: listener().fetch };
      await using registry = IoTHubRegistryManager.fromTokenCredential("hub.example", source, options);
      await registry.getTwin("d");
      t.mock.timers.tick(fresh);
      await registry.getTwin("d");
      assert.equal(source.scopes.length, 1);
      t.mock.timers.tick(2_000);
      await registry.getTwin("d");
      assert.equal(source.scopes.length, 2);
    });
  }

  test("that fails for a moment costs nothing while the old token is good", async (t) => {
    using _clock = freezeClock(t);
    const getToken = mock.fn<TokenCredential["getToken"]>(() =>
      Promise.resolve({ token: "good", expiresOnTimestamp: Date.now() + 100_000 })
    );
    const hub = listener();
    await using registry = IoTHubRegistryManager.fromTokenCredential("hub.example", { getToken }, { fetch: hub.fetch });
    await registry.getTwin("d");
    getToken.mock.mockImplementation(() => Promise.reject(new Error("The identity service is down")));
    t.mock.timers.tick(95_000);
    await registry.getTwin("d");
    assert.deepEqual(hub.authorizations, ["Bearer good", "Bearer good"]);
    t.mock.timers.tick(6_000);
    await assert.rejects(registry.getTwin("d"), { code: "CredentialError" });
    assert.equal(hub.authorizations.length, 2);
  });

  const bearer = (token: unknown) => () => Promise.resolve({ token: token as string, expiresOnTimestamp: Infinity });
  const failures: [string, TokenCredential["getToken"]][] = [
    ["rejects", () => Promise.reject(new Error("no identity here"))],
    ["throws", () => {
      throw new Error("no identity here");
    }],
    ["has no token", () => Promise.resolve(null)],
    ["has an empty token", bearer("")],
    ["has a token that is no string", bearer(undefined)],
    ["has a token that no header can carry", bearer("to\nken")],
  ];
  for (const [what, getToken] of failures) {
    test(`that ${what} ends the call with CredentialError and its cause, and is asked again`, async () => {
      const hub = listener();
      let fail = true;
      const source: TokenCredential = {
        getToken: (scope) =>
          fail ? getToken(scope) : Promise.resolve({ token: "t", expiresOnTimestamp: Date.now() + 1e6 }),
      };
      await using registry = IoTHubRegistryManager.fromTokenCredential("hub.example", source, { fetch: hub.fetch });
      await assert.rejects(registry.getTwin("d"), (error) => {
        assert.ok(error instanceof IoTHubError);
        assert.equal(error.code, "CredentialError");
        assert.equal(error.operation, "getTwin");
        assert.match(
          error.message,
          /^Cannot complete getTwin of device "d": the credential returned no token for https:/,
        );
        assert.ok(error.cause instanceof Error);
        return true;
      });
      assert.equal(hub.authorizations.length, 0);
      fail = false;
      await registry.getTwin("d");
      assert.deepEqual(hub.authorizations, ["Bearer t"]);
    });
  }

  test("has the type of @azure/core-auth, in both directions", () => {
    const ours: TokenCredential = credential(1);
    const theirs: CoreTokenCredential = ours;
    const back: TokenCredential = theirs;
    assert.equal(back, ours);
  });
});

test("two managers in one process share neither token nor endpoint", async () => {
  const [one, two] = [listener(), listener()];
  await using first = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { fetch: one.fetch });
  await using second = IoTHubRegistryManager.fromConnectionString(
    CONNECTION_STRING.replace("hub.example", "other.example").replace("=service", "=registryRead"),
    { fetch: two.fetch },
  );
  await Promise.all([first.getTwin("a"), second.getTwin("b"), first.getTwin("c")]);
  assert.equal(one.authorizations.length, 2);
  assert.ok(one.authorizations.every((value) => value.includes("sr=hub.example&") && value.endsWith("skn=service")));
  assert.equal(two.authorizations.length, 1);
  assert.match(two.authorizations[0]!, /sr=other\.example&.*skn=registryRead$/);
});
