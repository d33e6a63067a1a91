import { checkNumber, checkWhole } from "../../values/checks.ts";
import type { DeviceRequestFaults } from "./fault_state.ts";

/** A longer wait would overflow the timer and end at once. */
const MAX_DELAY_IN_MS = 2 ** 31 - 1;
/** Each planned fault takes a place in memory. */
const MAX_PLANNED = 1_000_000;

/**
 * Makes a local hub misbehave towards devices over HTTPS, to test how they cope. Back ends are not affected. What is
 * planned is used in the order of the calls, one for each request. Get it from `hub.faults.deviceHttp`.
 *
 * @example Let a device send again
 * ```ts
 * import { LocalHub } from "@iothub/registry-manager/local";
 * import assert from "node:assert/strict";
 *
 * await using hub = new LocalHub();
 * hub.faults.deviceHttp.answer(503);
 *
 * const url = `https://${hub.hostName}/devices/thermostat/messages/events?api-version=2021-04-12`;
 * const send = () => hub.fetch(new Request(url, { method: "POST", body: "21" }));
 * assert.equal((await send()).status, 503);
 * assert.equal((await send()).status, 401); // the true answer to a device that does not sign in
 * ```
 */
export class LocalDeviceHttpFaults {
  readonly #state: DeviceRequestFaults;

  /**
   * Not public: use `hub.faults.deviceHttp`.
   *
   * @ignore
   */
  constructor(state: DeviceRequestFaults) {
    this.#state = state;
  }

  /**
   * Answers the next requests with an error instead of carrying them out.
   *
   * @param status The status, from 400 to 599, such as 429 or 503.
   * @param count How many requests to answer so, 1 unless given.
   * @throws {TypeError} When an argument is not a number.
   * @throws {RangeError} When one is not a whole number in its range.
   */
  answer(status: number, count = 1): void {
    const isStatus = (value: number): boolean => Number.isInteger(value) && value >= 400 && value <= 599;
    checkNumber("status", status, isStatus, "a whole number from 400 to 599");
    this.#plan({ kind: "answer", status }, count);
  }

  /**
   * Carries out the next requests and sends their answers late.
   *
   * @param delayInMs How late, in milliseconds.
   * @param count How many answers to delay, 1 unless given.
   * @throws {TypeError} When an argument is not a number.
   * @throws {RangeError} When one is not in its range.
   */
  delay(delayInMs: number, count = 1): void {
    const isDelay = (value: number): boolean => value >= 0 && value <= MAX_DELAY_IN_MS;
    checkNumber("delayInMs", delayInMs, isDelay, `a number from 0 to ${MAX_DELAY_IN_MS}`);
    this.#plan({ kind: "delay", delayInMs }, count);
  }

  /**
   * Carries out the next requests and never answers them, as when the answer is lost on the way. Such a request ends
   * when its caller gives up, or with the hub.
   *
   * @param count How many answers to leave out, 1 unless given.
   * @throws {TypeError} When the count is not a number.
   * @throws {RangeError} When it is not a whole number from 0 to 1000000.
   */
  ignoreAnswers(count = 1): void {
    this.#plan({ kind: "ignore" }, count);
  }

  #plan(fault: Parameters<DeviceRequestFaults["plan"]>[0], count: number): void {
    checkWhole("count", count, 0, MAX_PLANNED);
    this.#state.plan(fault, count);
  }
}
