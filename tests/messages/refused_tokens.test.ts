import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { rejectionOf } from "../support/hub_scripts.ts";

const SCOPE = "https://iothubs.azure.example/.default";

/** Ways to sign in that a hub refuses, and what the error names in addition to the IP filter and the clock. */
const REFUSED: readonly [what: string, connect: (hub: LocalHub) => IoTHubRegistryManager, says: RegExp][] = [
  [
    "a policy without the right",
    (hub) => IoTHubRegistryManager.fromConnectionString(hub.connectionStringFor("registryRead"), hub.clientOptions),
    /the policy "registryRead" has the right ServiceConnect, its key/,
  ],
  [
    "a key of another hub",
    (hub) => IoTHubRegistryManager.fromConnectionString(new LocalHub().connectionString, hub.clientOptions),
    /the policy "iothubowner" has the right ServiceConnect, its key/,
  ],
  [
    "a bearer token for another audience",
    (hub) => {
      const credential = hub.tokenCredential({ audience: "https://else.example" });
      const options = { ...hub.clientOptions, tokenScope: SCOPE };
      return IoTHubRegistryManager.fromTokenCredential(hub.hostName, credential, options);
    },
    /the token credential's identity has the right ServiceConnect by a role .*, tokenScope \(now https:\/\/iothubs\.azure\.example\/\.default\)/,
  ],
];

describe("A token that the hub refuses for messages", () => {
  for (const [what, connect, says] of REFUSED) {
    test(`is explained in the error, for ${what}`, async () => {
      await using hub = new LocalHub();
      await using registry = connect(hub);
      for (
        const [call, start] of [
          [() => registry.sendC2dMessage("d1", "hello"), 'sendC2dMessage of device "d1"'],
          [
            () => registry.sendC2dMessageToModule("d1", "m1", "hello"),
            'sendC2dMessageToModule of device "d1", module "m1"',
          ],
          [() => registry.receiveFeedback().next(), "receiveFeedback"],
        ] as const
      ) {
        const error = await rejectionOf(call());
        assert.deepEqual([error.statusCode, error.retryable], [401, false]);
        assert.ok(error.message.startsWith(`Cannot complete ${start}: `), error.message);
        assert.match(error.message, says);
        assert.match(error.message, /, the hub's IP filter, and this machine's clock$/);
        assert.equal(error.message.split("IP filter").length, 2, "it is said once");
      }
    });
  }
});
