import { checkNumber, checkText, checkType, checkWhole, wrongType } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import type { AmqpError } from "./conditions.ts";
import type { AmqpFaultState, PlannedOutcome } from "./fault_state.ts";

/** The error that the hub sends to a client on purpose. */
export interface LocalAmqpError {
  /** The error condition, such as `"amqp:resource-limit-exceeded"`. */
  condition: string;
  /**
   * What happened, in words.
   * @default {"The local hub was told to fail here"}
   */
  description?: string | undefined;
}

const DESCRIPTION = "The local hub was told to fail here";
/** A longer wait would overflow the timer and end at once. */
const MAX_DOWNTIME_IN_MS = 2 ** 31 - 1;
/** Each planned outcome takes a place in memory. */
const MAX_PLANNED_OUTCOMES = 1_000_000;

/**
 * Makes a local hub misbehave over AMQP, to test how a client copes. It affects every connection: TLS, plain TCP
 * and WebSocket. Get it from `hub.faults`.
 *
 * @example Reject one message
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

  /**
   * Not public: use `hub.faults`.
   *
   * @ignore
   */
  constructor(state: AmqpFaultState, restart: (downtimeInMs: number) => Promise<void>) {
    this.#state = state;
    this.#restart = restart;
  }

  /**
   * Cuts every connection at once, without an AMQP close. Clients may connect again right away.
   *
   * @example Lose the connection between two messages
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   * await registry.sendC2dMessage("display", "before");
   *
   * hub.faults.drop();
   * await registry.sendC2dMessage("display", "after"); // on a new connection
   * console.assert((await registry.getDevice("display")).cloudToDeviceMessageCount === 2);
   * ```
   */
  drop(): void {
    this.#state.connections.drop();
  }

  /**
   * Stops sending on every connection, including ones that are opened later: no outcomes, no replies, no heartbeats.
   * The hub still accepts connections, TLS and WebSocket handshakes included, and still processes what clients send.
   * {@linkcode LocalAmqpFaults.resume} ends it.
   */
  stall(): void {
    this.#state.connections.stall();
  }

  /** Ends {@linkcode LocalAmqpFaults.stall}: sends what was held back on the connections that are still open. */
  resume(): void {
    this.#state.connections.resume();
  }

  /**
   * Detaches every link that carries messages, in either direction. Connections and their tokens stay.
   *
   * @param error The error that the clients are given, `amqp:link:detach-forced` unless named.
   * @throws {TypeError} When the error has the wrong type.
   * @throws {RangeError} When its condition is not a symbol of ASCII characters.
   */
  detach(error: string | LocalAmqpError = "amqp:link:detach-forced"): void {
    const amqpError = toAmqpError(error);
    for (const connection of this.#state.connections) connection.detach(amqpError);
  }

  /**
   * Starts or stops refusing link credit to clients, without which a sender that attaches from now on cannot send.
   *
   * @param isOn `true` to refuse credit; `false` to stop, which also grants it to the senders that were refused.
   * @throws {TypeError} When the argument is not a boolean.
   */
  refuseCredit(isOn: boolean): void {
    checkType("isOn", isOn, "boolean");
    this.#state.refusesCredit = isOn;
    if (!isOn) { for (const connection of this.#state.connections) connection.grantCredit(); }
  }

  /**
   * Gives the next messages the outcome "released" instead of queueing them. The outcomes that this and the following
   * methods plan are used in the order of the calls, one for each message.
   *
   * @param count How many messages to release, 1 unless given.
   * @throws {TypeError} When the count is not a number.
   * @throws {RangeError} When the count is not a whole number from 0 to 1000000.
   *
   * @example See a message sent again
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   *
   * hub.faults.release(2);
   * await registry.sendC2dMessage("display", "hello"); // accepted at the third attempt
   * console.assert((await registry.getDevice("display")).cloudToDeviceMessageCount === 1);
   * ```
   */
  release(count = 1): void {
    this.#plan({ kind: "release" }, count);
  }

  /**
   * Gives the next messages the outcome "modified", marked as failed deliveries, instead of queueing them.
   *
   * @param count How many messages to modify, 1 unless given.
   * @throws {TypeError} When the count is not a number.
   * @throws {RangeError} When the count is not a whole number from 0 to 1000000.
   */
  modify(count = 1): void {
    this.#plan({ kind: "modify" }, count);
  }

  /**
   * Gives the next messages the outcome "rejected" instead of queueing them.
   *
   * @param error The error that the senders are given.
   * @param count How many messages to reject, 1 unless given.
   * @throws {TypeError} When an argument has the wrong type.
   * @throws {RangeError} When the condition is not a symbol of ASCII characters, or when the count is not a whole
   * number from 0 to 1000000.
   */
  reject(error: string | LocalAmqpError, count = 1): void {
    this.#plan({ kind: "reject", error: toAmqpError(error) }, count);
  }

  /**
   * Queues the next messages but sends no outcome for them, as when it is lost on the way. A message that the hub has
   * to refuse is still refused, with an outcome.
   *
   * @param count How many outcomes to leave out, 1 unless given.
   * @throws {TypeError} When the count is not a number.
   * @throws {RangeError} When the count is not a whole number from 0 to 1000000.
   */
  ignoreOutcomes(count = 1): void {
    this.#plan({ kind: "ignore" }, count);
  }

  /**
   * Starts or stops ignoring the tokens that clients put on a connection: none is verified or replied to.
   *
   * @param isOn `true` to ignore tokens.
   * @throws {TypeError} When the argument is not a boolean.
   */
  ignoreTokens(isOn: boolean): void {
    checkType("isOn", isOn, "boolean");
    this.#state.ignoresTokens = isOn;
  }

  /** Treats every token on every connection as expired, which detaches the links. New tokens are accepted. */
  expire(): void {
    for (const connection of this.#state.connections) connection.expire();
  }

  /**
   * Restarts the hub as a client would see it. Every connection to any port is cut, HTTP included; the ports stay
   * closed for a while and then open again under the same numbers. Identities, twins and messages are kept; a message
   * that a receiver had not settled returns to its queue.
   *
   * @param downtimeInMs How long the ports stay closed, in milliseconds, 0 unless given. Even then it takes a moment.
   * @returns Resolves when the ports accept connections again, or when the hub is closed.
   * @throws {TypeError} When the argument is not a number.
   * @throws {RangeError} When it is not from 0 to 2147483647.
   *
   * @example Send after a restart
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await registry.createDeviceWithSas("display");
   * await registry.sendC2dMessage("display", "before");
   *
   * await hub.faults.restart(); // cuts the manager's connection
   * await registry.sendC2dMessage("display", "after");
   * console.assert((await registry.getDevice("display")).cloudToDeviceMessageCount === 2);
   * ```
   */
  async restart(downtimeInMs = 0): Promise<void> {
    const isLegal = (time: number): boolean => time >= 0 && time <= MAX_DOWNTIME_IN_MS;
    checkNumber("downtimeInMs", downtimeInMs, isLegal, `a number from 0 to ${MAX_DOWNTIME_IN_MS}`);
    await this.#restart(downtimeInMs);
  }

  #plan(outcome: PlannedOutcome, count: number): void {
    checkWhole("count", count, 0, MAX_PLANNED_OUTCOMES);
    this.#state.plan(outcome, count);
  }
}

function toAmqpError(error: string | LocalAmqpError): AmqpError {
  if (typeof error !== "string" && (typeof error !== "object" || error === null)) {
    throw wrongType("error", "a string or an object", error);
  }
  if (typeof error !== "string") checkMembers("error", error, ["condition", "description"]);
  const { condition, description = DESCRIPTION } = typeof error === "string" ? { condition: error } : error;
  checkText("error.condition", condition, /^[!-~]+$/, "a symbol such as amqp:internal-error");
  checkType("error.description", description, "string");
  return { condition, description };
}
