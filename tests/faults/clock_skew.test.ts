import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";
import { type ClientOptions, IoTHubRegistryManager, type TokenCredential } from "../../mod.ts";
import { signSas } from "../support/sas.ts";

const HOUR_IN_MS = 3_600_000;

/** A hub whose answers are noted: the status of each, and the token that it was for. */
class WatchedHub extends LocalHub {
  readonly statuses: number[] = [];
  readonly tokens: string[] = [];

  constructor(options?: LocalHubOptions) {
    super(options);
  }

  readonly watchedOptions: ClientOptions = {
    amqpEndpoint: () => this.clientOptions.amqpEndpoint(),
    fetch: async (url, init) => {
      this.tokens.push(new Headers(init!.headers).get("authorization")!);
      const answer = await this.clientOptions.fetch(url, init);
      this.statuses.push(answer.status);
      return answer;
    },
  };

  connect(connectionString: string = this.connectionString): IoTHubRegistryManager {
    return IoTHubRegistryManager.fromConnectionString(connectionString, this.watchedOptions);
  }
}

/** A hub whose clock is off by so much from the machine's. */
function skewedHub(offsetInMs: number): WatchedHub {
  return new WatchedHub({ now: () => Date.now() + offsetInMs });
}

function expiryOf(token: string): number {
  return Number(/&se=(\d+)/.exec(token)![1]) * 1000;
}

describe("a hub two hours ahead", () => {
  test("refuses the first token, and takes the one that is signed by its clock; later calls go at once", async () => {
    await using hub = skewedHub(2 * HOUR_IN_MS);
    await using registry = hub.connect();
    assert.deepEqual(await registry.getDevices(), []);
    assert.deepEqual(hub.statuses, [401, 200]);
    const life = expiryOf(hub.tokens[1]!) - (Date.now() + 2 * HOUR_IN_MS);
    assert.ok(Math.abs(life - HOUR_IN_MS) < 10_000, `the token lives ${life} ms by the hub's clock`);
    await registry.createDeviceWithSas("d");
    await registry.getTwin("d");
    assert.deepEqual(hub.statuses, [401, 200, 200, 200]);
    assert.equal(new Set(hub.tokens).size, 2);
  });

  test("makes concurrent first calls sign once more, all together", async () => {
    await using hub = skewedHub(2 * HOUR_IN_MS);
    await using registry = hub.connect();
    await Promise.all(Array.from({ length: 30 }, () => registry.getDevices()));
    assert.equal(hub.statuses.filter((status) => status === 200).length, 30);
    assert.equal(new Set(hub.tokens).size, 2);
  });

  test("is sent what creates, too: a token that was refused has done nothing", async () => {
    await using hub = skewedHub(2 * HOUR_IN_MS);
    await using registry = hub.connect();
    hub.device("d").onMethod("m", () => ({ status: 200 }));
    await registry.createDeviceWithSas("d");
    assert.deepEqual(hub.statuses, [401, 200]);
  });

  test("takes messages over AMQP with the same credential, once a call over HTTP has found out", async () => {
    await using hub = skewedHub(2 * HOUR_IN_MS);
    await using registry = hub.connect();
    await registry.createDeviceWithSas("d");
    await registry.sendC2dMessage("d", "hello");
    assert.equal((await registry.getDevice("d")).cloudToDeviceMessageCount, 1);
  });

  test("refuses messages over AMQP while nobody knows of its clock", async () => {
    await using hub = skewedHub(2 * HOUR_IN_MS);
    await using registry = hub.connect();
    await assert.rejects(registry.sendC2dMessage("d", "hello"), { statusCode: 401, retryable: false });
  });
});

describe("a hub two hours behind", () => {
  test("takes the first token, whose end is far off by its clock", async () => {
    await using hub = skewedHub(-2 * HOUR_IN_MS);
    await using registry = hub.connect();
    await registry.createDeviceWithSas("d");
    await registry.getTwin("d");
    assert.deepEqual(hub.statuses, [200, 200]);
    await registry.sendC2dMessage("d", "hello");
  });

  test("that refuses tokens with too long a life gets one by its clock", async () => {
    await using hub = skewedHub(-2 * HOUR_IN_MS);
    const { fetch } = hub.clientOptions;
    const statuses: number[] = [];
    await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
      async fetch(url, init) {
        const token = new Headers(init!.headers).get("authorization")!;
        const now = Date.now() - 2 * HOUR_IN_MS;
        const isTooLong = expiryOf(token) > now + 1.5 * HOUR_IN_MS;
        const answer = isTooLong
          ? new Response(null, { status: 401, headers: { Date: new Date(now).toUTCString() } })
          : await fetch(url, init);
        statuses.push(answer.status);
        return answer;
      },
    });
    await registry.getDevices();
    await registry.getDevices();
    assert.deepEqual(statuses, [401, 200, 200]);
  });
});

describe("a hub whose clock jumps while a manager is in use", () => {
  test("gets a new token for each jump, and each is good for as long as it should be", async () => {
    let offset = 0;
    await using hub = new WatchedHub({ now: () => Date.now() + offset });
    await using registry = hub.connect();
    await registry.getDevices();
    offset = 2 * HOUR_IN_MS;
    await registry.getDevices();
    offset = 5 * HOUR_IN_MS;
    await registry.getDevices();
    await registry.getDevices();
    assert.deepEqual(hub.statuses, [200, 401, 200, 401, 200, 200]);
  });
});

describe("a policy without the right", () => {
  test("costs two requests, and an error that names the policy and the right", async () => {
    await using hub = new WatchedHub();
    await using registry = hub.connect(hub.connectionStringFor("registryRead"));
    await assert.rejects(registry.createDeviceWithSas("d"), (error: Error & { statusCode?: number; code?: string }) => {
      assert.equal(error.statusCode, 401);
      assert.equal(error.code, "IotHubUnauthorizedAccess");
      assert.match(error.message, /the policy "registryRead"/);
      assert.match(error.message, /the right RegistryWrite\b/);
      return true;
    });
    assert.deepEqual(hub.statuses, [401, 401]);
  });

  test("is named with the right of each kind of call", async () => {
    await using hub = new WatchedHub();
    await using nobody = hub.connect(hub.connectionStringFor("device"));
    const calls: [Promise<unknown>, string][] = [
      [nobody.getDevice("d"), "RegistryRead"],
      [nobody.getDevices(), "RegistryRead"],
      [nobody.deleteDevice("d"), "RegistryWrite"],
      [nobody.bulkCreateOrUpdateDevices([{ id: "d", importMode: "create" }]), "RegistryWrite"],
      [nobody.getTwin("d"), "ServiceConnect"],
      [nobody.queryIotHub("SELECT * FROM devices"), "ServiceConnect"],
      [nobody.invokeDeviceMethod("d", { methodName: "m" }), "ServiceConnect"],
    ];
    // All at once: a rejection that nobody awaits yet would end the process.
    await Promise.all(calls.map(async ([call, right]) => {
      await assert.rejects(call, { message: new RegExp(`the policy "device" has the right ${right}\\b`) });
    }));
    assert.equal(hub.statuses.length, 2 * calls.length);
  });

  test("does not spoil the token for calls that it may make", async () => {
    await using hub = new WatchedHub();
    await using registry = hub.connect(hub.connectionStringFor("registryRead"));
    await assert.rejects(registry.createDeviceWithSas("d"), { statusCode: 401 });
    await registry.getDevices();
    assert.deepEqual(hub.statuses, [401, 401, 200]);
  });
});

test("a wrong key costs two requests, and an error that speaks of the key", async () => {
  await using hub = new WatchedHub();
  await using stranger = new LocalHub();
  await using registry = hub.connect(stranger.connectionString);
  await assert.rejects(registry.getDevices(), {
    statusCode: 401,
    message: /its key, the hub's IP filter, and this machine's clock$/,
  });
  assert.deepEqual(hub.statuses, [401, 401]);
});

test("an error for a wrong clock says by how much it is off", async () => {
  await using registry = IoTHubRegistryManager.fromConnectionString(new LocalHub().connectionString, {
    fetch: () => {
      const headers = { Date: new Date(Date.now() + 2 * HOUR_IN_MS).toUTCString() };
      return Promise.resolve(new Response(null, { status: 401, headers }));
    },
  });
  await assert.rejects(registry.getDevices(), {
    message: /this machine's clock, which is 7(199|200|201) s behind the hub's$/,
  });
});

describe("a ready-made token", () => {
  test("that the hub refuses costs one request: nobody can make another one", async () => {
    await using hub = skewedHub(2 * HOUR_IN_MS);
    const token = signSas({ connectionString: hub.connectionString });
    await using registry = hub.connect(`HostName=${hub.hostName};SharedAccessSignature=${token}`);
    await assert.rejects(registry.getDevices(), { statusCode: 401, message: /the given SharedAccessSignature/ });
    assert.deepEqual(hub.statuses, [401]);
  });
});

describe("a token credential", () => {
  /** Gives an expired token first, and good ones after it. */
  function forgetful(hub: LocalHub): { source: TokenCredential; asked: () => number } {
    const expired = hub.tokenCredential({ expiresInSeconds: -60 });
    const good = hub.tokenCredential();
    let asked = 0;
    const source: TokenCredential = {
      async getToken(scopes) {
        const token = await (++asked === 1 ? expired : good).getToken(scopes);
        return token && { ...token, expiresOnTimestamp: Date.now() + HOUR_IN_MS };
      },
    };
    return { source, asked: () => asked };
  }

  test("is asked once more after a 401, and not again", async () => {
    await using hub = new WatchedHub();
    const { source, asked } = forgetful(hub);
    await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, source, hub.watchedOptions);
    await registry.getDevices();
    await registry.getDevices();
    assert.deepEqual(hub.statuses, [401, 200, 200]);
    assert.equal(asked(), 2);
  });

  test("is asked once more for all calls that were refused together", async () => {
    await using hub = new WatchedHub();
    const { source, asked } = forgetful(hub);
    await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, source, hub.watchedOptions);
    await Promise.all(Array.from({ length: 20 }, () => registry.getDevices()));
    assert.equal(asked(), 2);
  });

  test("whose tokens are no good is asked twice, and the error says whose right is missing", async () => {
    await using hub = new WatchedHub();
    const inner = hub.tokenCredential({ audience: "https://else.example" });
    let asked = 0;
    const source: TokenCredential = {
      getToken(scopes) {
        asked++;
        return inner.getToken(scopes);
      },
    };
    await using registry = IoTHubRegistryManager.fromTokenCredential(hub.hostName, source, hub.watchedOptions);
    await assert.rejects(registry.getDevices(), {
      statusCode: 401,
      message: /the token credential's identity has the right RegistryRead/,
    });
    assert.equal(asked, 2);
    assert.equal(hub.statuses.length, 2);
  });
});
