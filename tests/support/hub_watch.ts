import type { LocalHub, LocalHubEvent } from "../../lib/local/mod.ts";
import { EventLog } from "./event_log.ts";

/** What an event has to have to be meant: some of its members. */
export type EventPattern = { [K in LocalHubEvent["kind"]]: PatternOf<Extract<LocalHubEvent, { kind: K }>> }[
  LocalHubEvent["kind"]
];

type PatternOf<T extends LocalHubEvent> = Partial<T> & Pick<T, "kind">;

/** Keeps what a local hub tells of itself, for tests that wait for something. */
export class HubWatch {
  readonly events: LocalHubEvent[] = [];
  readonly #log: EventLog = new EventLog();

  constructor(hub: Pick<LocalHub, "onEvent">) {
    hub.onEvent((event) => {
      this.events.push(event);
      this.#log.add("event");
    });
  }

  /** The events that have come and are meant. */
  all<P extends EventPattern>(pattern: P): Extract<LocalHubEvent, { kind: P["kind"] }>[] {
    const members = Object.entries(pattern);
    return this.events.filter((event): event is Extract<LocalHubEvent, { kind: P["kind"] }> =>
      members.every(([name, value]) => (event as unknown as Record<string, unknown>)[name] === value)
    );
  }

  /** Waits until such an event has come so many times, and returns the last of them. */
  async until<P extends EventPattern>(
    pattern: P,
    times: number = 1,
  ): Promise<Extract<LocalHubEvent, { kind: P["kind"] }>> {
    while (this.all(pattern).length < times) await this.#log.until("event", this.events.length + 1);
    return this.all(pattern)[times - 1]!;
  }

  /** Each event on a line: what has happened, to whom, and how it has gone. */
  get lines(): string[] {
    return this.events.map(lineOf);
  }
}

function lineOf(event: LocalHubEvent): string {
  const { timeUtc: _time, ...told } = event;
  const members: Record<string, unknown> = { ...told };
  const { kind, deviceId, moduleId, durationInMs: _duration, ...rest } = members;
  const who = [deviceId, moduleId].filter((id) => id !== undefined).join("/");
  return [kind, who, ...Object.values(rest)].filter((part) => part !== undefined && part !== "").join(" ");
}
