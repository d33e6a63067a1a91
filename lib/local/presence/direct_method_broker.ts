import { cannotUse } from "../../values/checks.ts";
import { type Activity, outcomeOf } from "../activity/activity.ts";
import { wrongArgument, wrongArgumentType } from "../argument_faults.ts";
import { byteLength } from "../byte_length.ts";
import type { HubAlarm, Sleeper } from "../hub_alarm.ts";
import { HubFault, invalidArgument } from "../hub_fault.ts";
import { type AnyRecord, keyOf } from "../records/identity_records.ts";
import { isJsonObject, type JsonValue } from "../json.ts";
import type { DeviceConnection, MethodAnswer } from "./device_connection.ts";
import { type Presence, targetOf } from "./presence.ts";

const DEFAULT_RESPONSE_TIMEOUT = 30;
const MIN_RESPONSE_TIMEOUT = 5;
const MAX_TIMEOUT = 300;
const MAX_PAYLOAD_BYTES = 128 * 1024;
const DAY_IN_MS = 86_400_000;
const NOT_CONNECTED = "Timed out waiting for device to connect.";

/** A direct method call that has been checked. Times are in seconds. */
export interface MethodCall {
  methodName: string;
  payload: JsonValue;
  responseTimeout: number;
  connectTimeout: number;
}

/**
 * Reads the body of a direct method call.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) or `MessageTooLarge` (413) when it breaks a rule.
 */
export function readMethodCall(body: unknown): MethodCall {
  if (!isJsonObject(body)) throw wrongArgumentType("the body", body, "a direct method call as an object");
  const methodName = body["methodName"];
  if (typeof methodName !== "string" || methodName === "") {
    throw wrongArgument("methodName", methodName, "a string that is not empty");
  }
  const responseTimeout = readSeconds("responseTimeoutInSeconds", body, DEFAULT_RESPONSE_TIMEOUT, MIN_RESPONSE_TIMEOUT);
  const connectTimeout = readSeconds("connectTimeoutInSeconds", body, 0, 0);
  if (connectTimeout > responseTimeout) {
    throw invalidArgument(
      `The device connection timeout (connectTimeoutInSeconds, ${connectTimeout}) cannot exceed the overall call ` +
        `timeout (responseTimeoutInSeconds, ${responseTimeout})`,
    );
  }
  const payload = body["payload"] ?? null;
  checkPayload("request", payload);
  return { methodName, payload, responseTimeout, connectTimeout };
}

/**
 * Calls direct methods on devices. Calls are not queued: the device has to be connected and to accept methods, or to do
 * so within the connect time-out. The response time-out covers the whole call, including the wait for the device.
 */
export class DirectMethodBroker {
  readonly #presence: Presence;
  readonly #activity: Activity;
  readonly #now: () => number;
  readonly #alarm: HubAlarm;
  readonly #closing = new AbortController();

  constructor(parts: { presence: Presence; activity: Activity; now: () => number; alarm: HubAlarm }) {
    this.#presence = parts.presence;
    this.#activity = parts.activity;
    this.#now = parts.now;
    this.#alarm = parts.alarm;
  }

  /**
   * Calls a method and waits for the answer.
   *
   * @param signal Ends the wait; the call then fails with the signal's reason.
   * @throws {HubFault} `DeviceNotOnline` (404), `MessageTooLarge` (413), `ServiceUnavailable` (503) when the hub is
   * closed, or `GatewayTimeout` (504).
   */
  async invoke(record: AnyRecord, call: MethodCall, signal: AbortSignal): Promise<MethodAnswer> {
    const started = performance.now();
    const about = { kind: "methodCall", ...targetOf(record), methodName: call.methodName } as const;
    try {
      const answer = await this.#invoke(record, call, signal);
      this.#activity.tell(() => ({ ...about, methodStatus: answer.status, ...outcomeOf(started) }));
      return answer;
    } catch (error) {
      this.#activity.tell(() => ({ ...about, methodStatus: undefined, ...outcomeOf(started, { error, signal }) }));
      throw error;
    }
  }

  /** Ends every waiting call. */
  close(): void {
    this.#closing.abort();
  }

  #invoke(record: AnyRecord, call: MethodCall, signal: AbortSignal): Promise<MethodAnswer> {
    const key = keyOf(record);
    const startTime = this.#now();
    const ended = new AbortController();
    let connection: DeviceConnection | undefined;
    let timeout: Sleeper | undefined;
    let cleanUp = (): void => {};

    return new Promise<MethodAnswer>((resolve, reject) => {
      const failAfter = (seconds: number, fault: HubFault): void => {
        if (timeout !== undefined) this.#alarm.forget(timeout);
        timeout = { wake: () => reject(fault) };
        this.#alarm.set(timeout, startTime + seconds * 1000);
      };

      const onChange = (): void => {
        const takers = this.#presence.active(key).filter(({ takesMethods }) => takesMethods);
        if (connection !== undefined) {
          if (!takers.includes(connection)) reject(notOnline("The device disconnected during the call"));
          return;
        }
        connection = takers.at(-1);
        if (connection === undefined) return;
        failAfter(call.responseTimeout, noAnswer());
        const { family } = connection;
        const asked = performance.now();
        connection.invokeMethod(call.methodName, call.payload, ended.signal).then((answer) => {
          this.#activity.observe(() => checkPayload("response", answer.payload), (outcome) => ({
            kind: "deviceAct",
            act: "answerMethod",
            ...targetOf(record),
            protocol: family,
            methodName: call.methodName,
            methodStatus: answer.status,
            ...outcome,
            durationInMs: performance.now() - asked,
          }));
          resolve(answer);
        }).catch(reject);
      };
      // The alarm does not keep the process alive, as a call with somebody who waits for it has to.
      const alive = setInterval(() => {}, DAY_IN_MS);
      const onAbort = (): void => reject(signal.reason);
      const onClose = (): void => reject(closed());

      const stopListening = this.#presence.onChange(key, onChange);
      signal.addEventListener("abort", onAbort);
      this.#closing.signal.addEventListener("abort", onClose);
      cleanUp = (): void => {
        ended.abort();
        clearInterval(alive);
        if (timeout !== undefined) this.#alarm.forget(timeout);
        stopListening();
        signal.removeEventListener("abort", onAbort);
        this.#closing.signal.removeEventListener("abort", onClose);
      };

      if (signal.aborted) return onAbort();
      if (this.#closing.signal.aborted) return onClose();
      onChange();
      if (connection !== undefined) return;
      if (call.connectTimeout === 0) reject(notOnline(NOT_CONNECTED));
      else failAfter(call.connectTimeout, notOnline(NOT_CONNECTED));
    }).finally(() => cleanUp());
  }
}

function readSeconds(name: string, body: Record<string, JsonValue>, byDefault: number, min: number): number {
  const value = body[name] ?? byDefault;
  if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= MAX_TIMEOUT) return value;
  throw invalidArgument(`${name} must be within [${min}; ${MAX_TIMEOUT}].`);
}

function checkPayload(direction: "request" | "response", payload: JsonValue): void {
  const text = JSON.stringify(payload);
  // A character takes three bytes at most, so most payloads need not be encoded to know that they are small enough.
  if (text.length * 3 <= MAX_PAYLOAD_BYTES) return;
  const size = byteLength(text);
  if (size <= MAX_PAYLOAD_BYTES) return;
  throw new HubFault(
    "MessageTooLarge",
    413,
    cannotUse(`a ${direction} payload of ${size} bytes`, `at most ${MAX_PAYLOAD_BYTES} bytes`),
  );
}

function notOnline(message: string): HubFault {
  return new HubFault("DeviceNotOnline", 404, message);
}

function noAnswer(): HubFault {
  return new HubFault("GatewayTimeout", 504, "Timed out waiting for the response from device.");
}

function closed(): HubFault {
  return new HubFault("ServiceUnavailable", 503, "The local hub was closed during the call");
}
