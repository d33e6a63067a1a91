import { checkNumber } from "../values/checks.ts";
import type { BackgroundWork } from "./background_work.ts";
import type { HubAlarm } from "./hub_alarm.ts";

/** What a clock tells that it was set on. */
interface TimedParts {
  readonly alarm: HubAlarm;
  readonly background: BackgroundWork;
}

/**
 * The clock of a local hub, which a test can set on. Get it from `hub.clock`.
 *
 * It goes as the machine's clock does, or as the option `now` says, and is ahead of that by as much as it was set on.
 * Everything goes by it that the hub does in time: tokens and messages expire, locks run out, feedback is sent, jobs begin
 * and end, queries see what was written (`queryLagInMs`), direct methods time out, and throttled requests have their turn.
 * How long a connection may be silent counts in real time, as nothing could be heard from its client in a time that did not
 * pass.
 *
 * Clients have a clock of their own. Those of this package sign their tokens for the time of a hub that is up to twelve
 * hours ahead; others sign for an hour of their own clock, which a hub that is further ahead refuses. For more, let clients
 * have tokens by the hub's clock (`hub.tokenCredential()`), or set `clockSkewInSeconds`.
 */
export class LocalHubClock {
  readonly #base: () => number;
  readonly #parts: () => TimedParts;
  #aheadInMs = 0;

  /**
   * Not public: use `hub.clock`.
   *
   * @ignore
   */
  constructor(base: () => number, parts: () => TimedParts) {
    this.#base = base;
    this.#parts = parts;
  }

  /**
   * Returns the hub's time.
   *
   * @returns Milliseconds since the epoch.
   *
   * @example See how far the hub is ahead
   * ```ts
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub({ now: () => 1_000 });
   * await hub.clock.advance(500);
   * assert.equal(hub.clock.now(), 1_500);
   * ```
   */
  now(): number {
    return this.#base() + this.#aheadInMs;
  }

  /**
   * Sets the clock on. What falls due until then happens in its order, each thing at its time.
   *
   * @param milliseconds By how much.
   * @returns Resolves when that has happened, and jobs that have begun can go on no more by themselves. For those that wait
   * for a device, see {@linkcode LocalHub.settled}.
   * @throws {TypeError} When `milliseconds` is not a number.
   * @throws {RangeError} When it is negative or not finite.
   *
   * @example A message that nobody takes expires
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   * import assert from "node:assert/strict";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromTokenCredential(
   *   hub.hostName,
   *   hub.tokenCredential(),
   *   hub.clientOptions,
   * );
   * await registry.createDeviceWithSas("door");
   * await registry.sendC2dMessage("door", "open");
   * assert.equal((await registry.getDevice("door")).cloudToDeviceMessageCount, 1);
   *
   * await hub.clock.advance(60 * 60_000);
   * assert.equal((await registry.getDevice("door")).cloudToDeviceMessageCount, 0);
   * ```
   */
  async advance(milliseconds: number): Promise<void> {
    checkNumber("milliseconds", milliseconds, (time) => time >= 0 && time < Infinity, "a finite number from 0 on");
    const { alarm, background } = this.#parts();
    for (let left = milliseconds;;) {
      while (alarm.isDue()) alarm.ring();
      if (background.isBusy) {
        await background.rested();
        while (alarm.isDue()) alarm.ring();
      }
      const step = Math.min(left, Math.max(0, alarm.next - this.now()));
      this.#aheadInMs += step;
      left -= step;
      if (left === 0 && !alarm.isDue()) break;
    }
    alarm.restart();
  }
}
