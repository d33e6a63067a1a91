import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubAlarm } from "../../lib/local/hub_alarm.ts";
import { LiveTimers } from "../support/live_timers.ts";
import { MessagingHub } from "../support/messaging_hub.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A millisecond may pass between two looks at the clock. */
function inMinutes(delays: readonly number[]): number[] {
  return delays.map((delay) => Math.round(delay / MINUTE));
}

describe("the alarm of a hub", () => {
  const TIME = Date.UTC(2026, 0, 1);

  test("sets its timer for what comes first, and none once it is closed", () => {
    const delays: number[] = [];
    using timers = new LiveTimers((delay) => delays.push(delay) < 0);
    using hub = new MessagingHub();
    hub.send("m");
    assert.deepEqual(inMinutes(delays), [60]);
    hub.send("n");
    assert.deepEqual(inMinutes(delays), [60]);
    hub.lock();
    assert.deepEqual(inMinutes(delays), [60, 1]);
    assert.equal(timers.count, 1);
    hub.state.close();
    hub.tick(-HOUR);
    hub.lock();
    assert.equal(timers.count, 0);
  });

  test("sets its timer again where the hub's clock is behind the real one", async () => {
    let looks = 0;
    const alarm = new HubAlarm(() => TIME + Math.min(5, looks++));
    const alive = setTimeout(() => {}, MINUTE);
    const woken = await new Promise<number>((resolve) => alarm.set({ wake: resolve }, TIME + 5));
    clearTimeout(alive);
    assert.equal(woken, TIME + 5);
    alarm.close();
  });

  test("wakes only those who are due, and not those who have been set anew or forgotten", () => {
    const alarm = new HubAlarm(() => TIME);
    const woken: string[] = [];
    const [early, late, moved, gone] = ["early", "late", "moved", "gone"].map((name) => ({
      wake: () => void woken.push(name),
    }));
    alarm.set(early!, TIME + 1);
    alarm.set(late!, TIME + 20);
    alarm.set(moved!, TIME + 1);
    alarm.set(moved!, TIME + 10);
    alarm.set(gone!, TIME + 1);
    alarm.forget(gone!);
    alarm.ring(TIME);
    assert.deepEqual(woken, []);
    alarm.ring(TIME + 1);
    assert.deepEqual(woken, ["early"]);
    alarm.ring(TIME + 19);
    assert.deepEqual(woken, ["early", "moved"]);
    alarm.ring(TIME + 20);
    assert.deepEqual(woken, ["early", "moved", "late"]);
    alarm.close();
  });
});
