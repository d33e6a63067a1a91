import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub, type LocalHubOptions } from "../../lib/local/mod.ts";

/** Calls that must be refused: what is wrong, the call, and the error. */
type Refusals = [what: string, call: (hub: LocalHub) => unknown, error: RegExp][];

/** Passes a value that the types would not let through. */
function as<T>(value: unknown): T {
  return value as T;
}

const KEY = btoa("k".repeat(32));

describe("a local hub", () => {
  const wrong: [options: unknown, error: RegExp][] = [
    [null, /^TypeError: Cannot use options: it must be an object, got null$/],
    [{ hostName: 7 }, /^TypeError: Cannot use hostName: it must be a string, got a number$/],
    [{ hostName: "https://hub.example" }, /^RangeError: Cannot use hostName: it must be a host name such as/],
    [{ hostName: "hub;SharedAccessKey=x" }, /^RangeError: Cannot use hostName: it must be a host name such as/],
    [{ now: 0 }, /^TypeError: Cannot use now: it must be a function, got a number$/],
    [{ clockSkewInSeconds: "5" }, /^TypeError: Cannot use clockSkewInSeconds: it must be a number, got a string$/],
    ...[-1, NaN].map((clockSkewInSeconds): [unknown, RegExp] => [
      { clockSkewInSeconds },
      /^RangeError: Cannot use clockSkewInSeconds (-1|NaN): it must be a number from 0 on$/,
    ]),
    [{ feedbackIntervalInMs: null }, /^TypeError: Cannot use feedbackIntervalInMs: it must be a number, got null$/],
    ...[-1, NaN, Infinity].map((feedbackIntervalInMs): [unknown, RegExp] => [
      { feedbackIntervalInMs },
      /^RangeError: Cannot use feedbackIntervalInMs (-1|NaN|Infinity): it must be a finite number from 0 on$/,
    ]),
    [{ queryLagInMs: "1s" }, /^TypeError: Cannot use queryLagInMs: it must be a number, got a string$/],
    ...[-1, NaN, Infinity].map((queryLagInMs): [unknown, RegExp] => [
      { queryLagInMs },
      /^RangeError: Cannot use queryLagInMs (-1|NaN|Infinity): it must be a finite number from 0 on$/,
    ]),
    [{ throttling: "S1" }, /^TypeError: Cannot use throttling: it must be an object, got a string$/],
    [{ throttling: { tier: "S4" } }, /^RangeError: Cannot use throttling.tier "S4": it must be "F1" or .* "S3"$/],
    [{ policyKeys: [] }, /^TypeError: Cannot use policyKeys: it must be an object, got an array$/],
    [{ policyKeys: { owner: KEY } }, /^TypeError: Cannot use "owner" in policyKeys: .*"iothubowner"/],
    [{ policyKeys: { service: 7 } }, /^TypeError: Cannot use policyKeys.service: it must be a key, .* got a number$/],
    [{ policyKeys: { service: {} } }, /^TypeError: Cannot use policyKeys.service.primaryKey: it must be a string/],
    [
      { policyKeys: { service: { primaryKey: KEY, secondary: KEY } } },
      /^TypeError: Cannot use "secondary" in policyKeys.service: did you mean "secondaryKey"\?/,
    ],
    ...["", "c2VjcmV0", "secret-secret-secret-secret", btoa("x".repeat(65))].flatMap((key): [unknown, RegExp][] => [
      [
        { policyKeys: { service: key } },
        /^RangeError: Cannot use policyKeys.service: it must be standard base64 of 16 to 64 bytes$/,
      ],
      [
        { policyKeys: { device: { primaryKey: KEY, secondaryKey: key } } },
        /^RangeError: Cannot use policyKeys.device.secondaryKey: /,
      ],
    ]),
    ...[-1, NaN, 0].map((amqpIdleTimeoutInMs): [unknown, RegExp] => [
      { amqpIdleTimeoutInMs },
      /^RangeError: Cannot use amqpIdleTimeoutInMs (-1|NaN|0): it must be over 0, or Infinity for no limit$/,
    ]),
  ];
  for (const [options, error] of wrong) {
    test(`is not made with ${JSON.stringify(options)}: ${error.source}`, () => {
      assert.throws(() => new LocalHub(as<LocalHubOptions>(options)), error);
    });
  }

  test("is made with options that are there but undefined, and with the extremes that are legal", async () => {
    await using unset = new LocalHub({
      hostName: as(undefined),
      now: as(undefined),
      feedbackIntervalInMs: as(undefined),
      queryLagInMs: as(undefined),
    });
    assert.equal(unset.hostName, "localhost");
    await using extreme = new LocalHub({
      clockSkewInSeconds: 0,
      feedbackIntervalInMs: 0,
      queryLagInMs: 0,
      amqpIdleTimeoutInMs: Infinity,
    });
    assert.match(extreme.connectionString, /^HostName=localhost;/);
  });

  const refusals: Refusals = [
    [
      "a policy that is no text",
      (hub) => hub.connectionStringFor(as(undefined)),
      /^TypeError: Cannot use policyName: it must be a string, got undefined$/,
    ],
    [
      "a policy that no hub has",
      (hub) => hub.connectionStringFor(as("owner")),
      /^RangeError: Cannot use policyName "owner": it must be "iothubowner" or "service" or .*"registryReadWrite"$/,
    ],
    [
      "a policy named after a member of every object",
      (hub) => hub.connectionStringFor(as("constructor")),
      /^RangeError: Cannot use policyName "constructor": it must be "iothubowner" or/,
    ],
    [
      "a third key",
      (hub) => hub.connectionStringFor("service", as("tertiary")),
      /^RangeError: Cannot use key "tertiary": it must be "primary" or "secondary"$/,
    ],
    [
      "a device without an id",
      (hub) => hub.device(as(undefined)),
      /^TypeError: Cannot use deviceId: it must be a string/,
    ],
    [
      "a credential's options that are none",
      (hub) => hub.tokenCredential(as("x")),
      /^TypeError: Cannot use options: it must be an object, got a string$/,
    ],
    [
      "an audience that is no text",
      (hub) => hub.tokenCredential({ audience: as(["x"]) }),
      /^TypeError: Cannot use audience: it must be a string, got an array$/,
    ],
    [
      "an issuer that is no text",
      (hub) => hub.tokenCredential({ issuer: as(7) }),
      /^TypeError: Cannot use issuer: it must be a string, got a number$/,
    ],
    [
      "a lifetime that is no number",
      (hub) => hub.tokenCredential({ expiresInSeconds: NaN }),
      /^RangeError: Cannot use expiresInSeconds NaN: it must be a finite number$/,
    ],
    [
      "a key that is no CryptoKey",
      (hub) => hub.tokenCredential({ signingKey: as("secret") }),
      /^TypeError: Cannot use signingKey: it must be an object, got a string$/,
    ],
    ["a status that is no error", (hub) => hub.faults.deviceHttp.answer(200), /^RangeError: Cannot use status 200: /],
    ["a status that is no number", (hub) => hub.faults.deviceHttp.answer(as("503")), /^TypeError: Cannot use status: /],
    [
      "a delay that no timer keeps",
      (hub) => hub.faults.deviceHttp.delay(2 ** 31),
      /^RangeError: Cannot use delayInMs /,
    ],
    ["a negative count", (hub) => hub.faults.deviceHttp.ignoreAnswers(-1), /^RangeError: Cannot use count -1: /],
    ["a switch that is neither on nor off", (hub) => hub.faults.refuseCredit(as(1)), /^TypeError: Cannot use isOn: /],
    ["another such switch", (hub) => hub.faults.ignoreTokens(as(undefined)), /^TypeError: Cannot use isOn: /],
    [
      "a count that is not whole",
      (hub) => hub.faults.release(1.5),
      /^RangeError: Cannot use count 1\.5: it must be a whole number from 0 to 1000000$/,
    ],
    ["a count below 0", (hub) => hub.faults.modify(-1), /^RangeError: Cannot use count -1: /],
    [
      "a count without an end",
      (hub) => hub.faults.ignoreOutcomes(Infinity),
      /^RangeError: Cannot use count Infinity: /,
    ],
    ["a count that is no number", (hub) => hub.faults.reject("a:b", as("2")), /^TypeError: Cannot use count: /],
    [
      "an error that is none",
      (hub) => hub.faults.reject(as(undefined)),
      /^TypeError: Cannot use error: it must be a string or an object, got undefined$/,
    ],
    ["an error of null", (hub) => hub.faults.detach(as(null)), /^TypeError: Cannot use error: .*, got null$/],
    [
      "an error without a condition",
      (hub) => hub.faults.detach(as({ description: "x" })),
      /^TypeError: Cannot use error\.condition: it must be a string, got undefined$/,
    ],
    [
      "a condition that AMQP cannot carry",
      (hub) => hub.faults.detach("ämqp:internal-error"),
      /^RangeError: Cannot use error\.condition: it must be a symbol such as amqp:internal-error$/,
    ],
    [
      "a description that is no text",
      (hub) => hub.faults.reject({ condition: "a:b", description: as(7) }),
      /^TypeError: Cannot use error\.description: it must be a string, got a number$/,
    ],
  ];
  for (const [what, call, error] of refusals) {
    test(`refuses ${what}`, async () => {
      await using hub = new LocalHub();
      assert.throws(() => call(hub), error);
    });
  }

  test("refuses to be down for a time that no timer can keep", async () => {
    await using hub = new LocalHub();
    for (const downtimeInMs of [-1, NaN, Infinity, 2 ** 31]) {
      await assert.rejects(hub.faults.restart(downtimeInMs), {
        name: "RangeError",
        message: `Cannot use downtimeInMs ${downtimeInMs}: it must be a number from 0 to 2147483647`,
      });
    }
    await assert.rejects(hub.faults.restart(as("5")), {
      name: "TypeError",
      message: "Cannot use downtimeInMs: it must be a number, got a string",
    });
  });

  test("shows no secret where a text is refused", async () => {
    await using hub = new LocalHub();
    const { connectionString } = hub;
    assert.throws(
      () => new LocalHub({ hostName: connectionString }),
      (error: Error) => !error.message.includes("SharedAccessKey"),
    );
  });
});
