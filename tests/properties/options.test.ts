import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LocalHub } from "../../lib/local/mod.ts";
import { IoTHubRegistryManager } from "../../mod.ts";
import { OPTION_OBJECTS, type OptionObject } from "../support/option_objects.ts";
import { ANY_TEXT, holds, outcomeOf } from "../support/properties.ts";
import { CONNECTION_STRING, Recorder } from "../support/recorder.ts";

/** How a name is written in Python, or by who does not mind capitals. */
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.replace(/^./, (first) => first.toUpperCase()),
];

/** One slip of a finger: a letter left out, one too many, another one, or two that changed places. */
function slip(name: string, kind: number, at: number): string {
  const index = at % name.length;
  const [before, letter, after] = [name.slice(0, index), name[index]!, name.slice(index + 1)];
  switch (kind) {
    case 0:
      return before + after;
    case 1:
      return before + letter + letter + after;
    case 2:
      return `${before}x${after}`;
    default:
      return `${before}${after.slice(0, 1)}${letter}${after.slice(1)}`;
  }
}

/** Whether an object may have a member. */
function mayHave({ members, others = [] }: OptionObject, name: string): boolean {
  return Object.hasOwn(members, name) || others.includes(name);
}

/** An object with all the members of one kind, one of them by another name. */
function renamed({ members }: OptionObject, from: string, to: string): object {
  const entries = Object.entries(members).map(([name, value]) => [name === from ? to : name, value]);
  return Object.fromEntries(entries);
}

/** Asserts that an object is refused because of a member, and returns what the error says. */
async function refusalOf(object: OptionObject, value: object, member: string): Promise<string> {
  const outcome = await outcomeOf(() => object.use(value));
  assert.ok("error" in outcome, `${object.what} has taken ${member}`);
  const { error } = outcome;
  assert.ok(error instanceof TypeError, `${error}`);
  // What is long is cut off, and what is odd is escaped.
  if (/^\w{1,64}$/.test(member)) {
    assert.ok(error.message.startsWith(`Cannot use "${member}" in ${object.name}: `), error.message);
  } else {
    assert.ok(error.message.startsWith('Cannot use "'), error.message);
  }
  for (const name of Object.keys(object.members)) assert.ok(error.message.includes(name), error.message);
  return error.message;
}

const anyObject = fc.constantFrom(...OPTION_OBJECTS);
const anyMember = anyObject.chain((object) =>
  fc.record({ object: fc.constant(object), name: fc.constantFrom(...Object.keys(object.members)) })
);

describe("an object of options", () => {
  for (const { what, name, members, use } of OPTION_OBJECTS) {
    test(`of ${what} (${name}) may have all of its members, and any of them undefined`, async () => {
      await use(members);
      const known = Object.keys(members);
      for (const left of known) {
        // What must be there is refused as missing, and not as unknown.
        const outcome = await outcomeOf(() => use({ ...members, [left]: undefined }));
        if ("error" in outcome) assert.doesNotMatch(String(outcome.error), / can only have /);
      }
    });
  }

  test("is refused with a member in another spelling, and the error says which was meant", async () => {
    await holds(
      fc.asyncProperty(anyMember, fc.constantFrom(...SPELLINGS), async ({ object, name }, spell) => {
        const wrong = spell(name);
        fc.pre(!mayHave(object, wrong));
        const message = await refusalOf(object, renamed(object, name, wrong), wrong);
        assert.ok(message.includes(`did you mean "${name}"?`), message);
      }),
      200,
    );
  });

  test("is refused with a member that is misspelt, and the error names one that is much like it", async () => {
    await holds(
      fc.asyncProperty(anyMember, fc.nat(3), fc.nat(), async ({ object, name }, kind, at) => {
        const wrong = slip(name, kind, at);
        fc.pre(wrong !== "" && !mayHave(object, wrong));
        const message = await refusalOf(object, renamed(object, name, wrong), wrong);
        // Among the short ones another may be just as much like it.
        if (name.length > 5) assert.match(message, /: did you mean "\w+"\? It can only have /);
      }),
      300,
    );
  });

  test("is refused with any other member, whatever its value", async () => {
    await holds(
      fc.asyncProperty(anyObject, ANY_TEXT, fc.anything(), async (object, name, value) => {
        fc.pre(!mayHave(object, name));
        const given = { ...object.members };
        Object.defineProperty(given, name, { value, enumerable: true });
        await refusalOf(object, given, name);
      }),
      300,
    );
  });

  test("is refused when it is something else altogether, such as a signal", async () => {
    const signal = new AbortController().signal as object;
    const uses: readonly ((registry: IoTHubRegistryManager) => unknown)[] = [
      (registry) => registry.getDevice("d", signal),
      (registry) => registry.updateTwin("d", {}, signal),
      (registry) => registry.modifyTwin("d", () => undefined, signal),
      (registry) => registry.query("SELECT * FROM devices", signal).next(),
      (registry) => registry.sendC2dMessage("d", "x", {}, signal),
      (registry) => registry.receiveFeedback(signal).next(),
      () => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, signal),
      () => new LocalHub(signal),
    ];
    for (const use of uses) {
      const recorder = new Recorder({ body: [] });
      await using registry = recorder.connect();
      await assert.rejects(async () => void await use(registry), /^TypeError: Cannot use "\w+" in options: /);
      assert.equal(recorder.requests.length, 0);
    }
  });

  test("is taken though a library has added to every object", async () => {
    const all = Object.prototype as { addedToAll?: () => void };
    all.addedToAll = () => {};
    try {
      for (const { members, use } of OPTION_OBJECTS) await use(members);
    } finally {
      delete all.addedToAll;
    }
  });
});

test("a twin, a message's properties and a payload may have any members", async () => {
  await holds(
    fc.asyncProperty(fc.stringMatching(/^[a-z]\w{0,20}$/), async (name) => {
      const recorder = new Recorder({ body: {} });
      await using registry = recorder.connect();
      const free = { [name]: 1 };
      await registry.updateTwin("d", { ...free, tags: free, properties: { desired: free } });
      await registry.invokeDeviceMethod("d", { methodName: "m", payload: free });
      const aborted = { abortSignal: AbortSignal.abort(new Error("aborted")) };
      await assert.rejects(registry.sendC2dMessage("d", "x", free, aborted), { message: "aborted" });
    }),
    30,
  );
});
