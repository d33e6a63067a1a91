import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { runtimeName } from "../../lib/values/runtime.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";

const OTHER = (await makeSelfSignedCertificate(["other.example"])).cert;

/** A WebSocket for messages is a matter of its own; Node has one since version 22. */
const WAYS = typeof WebSocket === "undefined" ? ["amqps"] as const : ["amqps", "wss"] as const;

async function listening(): Promise<
  { hub: LocalHub; certificate: string; optionsFor: (way: "amqps" | "wss") => ClientOptions }
> {
  const hub = new LocalHub();
  const { certificate, ...addresses } = await hub.listen();
  return {
    hub,
    certificate: certificate!,
    optionsFor: (way) => ({
      endpoint: addresses.https!,
      amqpEndpoint: addresses[way]!,
      retryOptions: { maxRetries: 3, retryDelayInMs: 1 },
    }),
  };
}

describe("tls.ca", () => {
  for (const way of WAYS) {
    test(`lets HTTP and messages over ${way} trust a private authority, alone or among others`, async () => {
      const { hub, certificate, optionsFor } = await listening();
      await using _ = hub;
      for (const [id, ca] of Object.entries({ alone: certificate, among: [OTHER, certificate] })) {
        await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, {
          ...optionsFor(way),
          tls: { ca },
        });
        await registry.createDeviceWithSas(id);
        await registry.sendC2dMessage(id, "hello");
        assert.equal((await registry.getDevice(id)).cloudToDeviceMessageCount, 1);
      }
    });

    test(`is what the error asks for over HTTP and ${way}, where another authority was given or none`, async () => {
      const { hub, optionsFor } = await listening();
      await using _ = hub;
      for (const tls of [undefined, {}, { ca: OTHER }]) {
        const options = { ...optionsFor(way), ...(tls && { tls }) };
        await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, options);
        for (const call of [() => registry.getTwin("d"), () => registry.invokeDeviceMethod("d", { methodName: "m" })]) {
          await assert.rejects(call(), {
            code: "NetworkError",
            retryable: false,
            message: /could not be reached.*tls\.ca/,
          });
        }
        await assert.rejects(registry.sendC2dMessage("d", "hello"), { code: "NetworkError", message: /"d".*tls\.ca/ });
      }
    });
  }

  test("works with the entry /http on Deno and Bun, and is refused at once on Node", async () => {
    const { hub, certificate, optionsFor } = await listening();
    await using _ = hub;
    const connect = (): HttpRegistryManager =>
      HttpRegistryManager.fromConnectionString(hub.connectionString, {
        ...optionsFor("amqps"),
        tls: { ca: certificate },
      });
    if (runtimeName() === "Node") {
      assert.throws(connect, {
        name: "TypeError",
        message: /^Cannot use tls\.ca: .*on Node use the manager of the entry "\."/,
      });
    } else {
      await using registry = connect();
      await registry.createDeviceWithSas("d");
    }
  });
});
