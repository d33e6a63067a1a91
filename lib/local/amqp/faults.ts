import type { AmqpFaultState } from "./fault_state.ts";

/** An error as AMQP carries it. */
export interface LocalAmqpError {
  /** Such as `"amqp:resource-limit-exceeded"`. */
  condition: string;
  /** What happened, in words. Default: that it was asked for. */
  description?: string;
}

const DESCRIPTION = "The local hub was told to do this";

/**
 * Makes a local hub misbehave on its AMQP side, to see how a client bears it: on every connection, be it TLS, plain TCP
 * or WebSocket. `hub.faults` gives it.
 *
 * @example
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { LocalHub } from "@iothub/registry-manager/local";
 * import assert from "node:assert/strict";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 * await registry.createDeviceWithSas("display");
 *
 * hub.faults.reject("amqp:resource-limit-exceeded");
 * await assert.rejects(registry.sendC2dMessage("display", "hello"), { code: "DeviceMaximumQueueDepthExceeded" });
 * await registry.sendC2dMessage("display", "hello again");
 * ```
 */
export class LocalAmqpFaults {
  readonly #state: AmqpFaultState;
  readonly #restart: (downtimeInMs: number) => Promise<void>;

  /** Not for users: a hub makes its own. */
  constructor(state: AmqpFaultState, restart: (downtimeInMs: number) => Promise<void>) {
    this.#state = state;
    this.#restart = restart;
  }

  /** Cuts every connection now, without a word. New ones are welcome. */
  drop(): void {
    for (const connection of [...this.#state.connections]) connection.abort();
  }

  /**
   * Says nothing more, on any connection, also on those to come: no outcomes, no answers, no sign of life. The hub goes
   * on listening, and does what it is told. TCP, TLS and WebSocket themselves still come up. {@linkcode resume} ends it.
   */
  stall(): void {
    this.#state.isStalled = true;
    for (const connection of this.#state.connections) connection.hold();
  }

  /** Says what {@linkcode stall} has held back, on the connections that are still there, and goes on. */
  resume(): void {
    this.#state.isStalled = false;
    for (const connection of this.#state.connections) connection.letGo();
  }

  /**
   * Detaches every link that carries messages, in either direction; the connections and their tokens stay.
   *
   * @param error the reason that the clients get. Default: `amqp:link:detach-forced`
   */
  detach(error: string | LocalAmqpError = "amqp:link:detach-forced"): void {
    for (const connection of this.#state.connections) connection.detach(toAmqpError(error));
  }

  /**
   * Whether senders that attach from now on get no credit, and so cannot send. Turned off, those that wait get theirs.
   *
   * @param isOn `true` to refuse credit
   */
  refuseCredit(isOn: boolean): void {
    this.#state.refusesCredit = isOn;
    if (!isOn) { for (const connection of this.#state.connections) connection.grantCredit(); }
  }

  /**
   * Releases the next messages in place of what would become of them; none of them is queued. Planned outcomes, this one
   * and those below, are used up one after the other.
   *
   * @param count how many messages. Default: 1
   */
  release(count = 1): void {
    this.#state.plan({ kind: "release" }, count);
  }

  /**
   * Gives the next messages the outcome "modified", as failed deliveries; none of them is queued.
   *
   * @param count how many messages. Default: 1
   */
  modify(count = 1): void {
    this.#state.plan({ kind: "modify" }, count);
  }

  /**
   * Rejects the next messages; none of them is queued.
   *
   * @param error the reason that the senders get
   * @param count how many messages. Default: 1
   */
  reject(error: string | LocalAmqpError, count = 1): void {
    this.#state.plan({ kind: "reject", error: toAmqpError(error) }, count);
  }

  /**
   * Queues the next messages as it should, and leaves their senders without an answer, as when an outcome is lost. A
   * message that the hub has to refuse is refused, and answered.
   *
   * @param count how many messages. Default: 1
   */
  ignoreOutcomes(count = 1): void {
    this.#state.plan({ kind: "ignore" }, count);
  }

  /**
   * Whether tokens that clients put on a connection are neither looked at nor answered.
   *
   * @param isOn `true` to ignore them
   */
  ignoreTokens(isOn: boolean): void {
    this.#state.ignoresTokens = isOn;
  }

  /** Takes every token on every connection for expired, which cuts the links. New tokens are good. */
  expire(): void {
    for (const connection of this.#state.connections) connection.expire();
  }

  /**
   * Restarts the hub, as seen from outside: every connection to any of its ports is cut, HTTP among them, the ports
   * refuse new ones for a while, and then the same ports are open again. Identities, twins and messages stay; a message
   * that somebody was just handling goes back to its queue.
   *
   * @param downtimeInMs how long the ports are closed, in milliseconds. Default: 0, which is still a moment
   * @returns resolves when the ports accept connections again, or when the hub is closed
   */
  restart(downtimeInMs = 0): Promise<void> {
    return this.#restart(downtimeInMs);
  }
}

function toAmqpError(error: string | LocalAmqpError): { condition: string; description: string } {
  const { condition, description = DESCRIPTION } = typeof error === "string" ? { condition: error } : error;
  return { condition, description };
}
