import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LocalHub } from "../../lib/local/mod.ts";
import { type ClientEvent, IoTHubRegistryManager } from "../../mod.ts";

type Kind = ClientEvent["kind"];

/** What happens at each kind of event, in place: the first time that one of this kind comes. */
type Action = (scene: Scene) => void;

const KINDS: readonly Kind[] = [
  "callBegun",
  "callWaiting",
  "callSent",
  "callAnswered",
  "callEnded",
  "tokenMade",
  "connectionOpening",
  "connectionOpened",
  "connectionLost",
  "linkAttached",
  "linkLost",
];

/** Sends that meet every fault, at a client whose listener acts once. */
class Scene implements AsyncDisposable {
  readonly registry: IoTHubRegistryManager;
  /** What the device has received. */
  readonly arrived: string[] = [];
  /** Those of the calls of the scene. */
  readonly controller: AbortController = new AbortController();
  /** What the listener has begun. */
  readonly begun: Promise<unknown>[] = [];
  readonly #hub: LocalHub = new LocalHub();

  constructor(kind: Kind, action: Action) {
    let isDone = false;
    this.registry = IoTHubRegistryManager.fromConnectionString(this.#hub.connectionString, {
      ...this.#hub.clientOptions,
      retryOptions: { retryDelayInMs: 1 },
      onEvent: (event) => {
        if (event.kind !== kind || isDone) return;
        isDone = true;
        action(this);
      },
    });
    this.#hub.device("d").onMessage(({ text }) => void this.arrived.push(text));
  }

  /** Makes the calls; returns how each has ended. */
  async run(): Promise<PromiseSettledResult<unknown>[]> {
    const { faults } = this.#hub;
    const admin = IoTHubRegistryManager.fromConnectionString(this.#hub.connectionString, this.#hub.clientOptions);
    await admin.createDeviceWithSas("d");
    await admin.close();
    const results: PromiseSettledResult<unknown>[] = [];
    const makeCalls = () => [0, 1, 2].map((index) => this.send(`${results.length + index}`));
    faults.release(1);
    results.push(...await Promise.allSettled(makeCalls()));
    for (const fault of [() => faults.detach(), () => faults.drop()]) {
      const calls = makeCalls();
      fault();
      results.push(...await Promise.allSettled(calls));
    }
    results.push(...await Promise.allSettled(this.begun));
    return results;
  }

  send(text: string): Promise<void> {
    return this.registry.sendC2dMessage("d", text, {}, { abortSignal: this.controller.signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry.close();
    await this.#hub.close();
  }
}

describe("onEvent may use the client in place", () => {
  for (const kind of KINDS) {
    test(`at ${kind}, and send another message, which arrives behind those before it`, async () => {
      await using scene = new Scene(kind, (scene) => void scene.begun.push(scene.send("another")));
      const results = await scene.run();
      assert.deepEqual(results.map(({ status }) => status), Array(10).fill("fulfilled"));
      const arrived = new Set(scene.arrived);
      assert.ok(arrived.delete("another"));
      // The hub returned this one when others were on their way.
      assert.ok(arrived.delete("0"));
      assert.deepEqual([...arrived], ["1", "2", "3", "4", "5", "6", "7", "8"]);
    });

    test(`at ${kind}, and abort what is under way, which ends so`, async () => {
      const reason = new Error("enough");
      await using scene = new Scene(kind, ({ controller }) => controller.abort(reason));
      for (const result of await scene.run()) {
        assert.ok(result.status === "fulfilled" || result.reason === reason);
      }
    });
  }
});
