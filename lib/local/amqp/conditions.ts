import { type FaultReporter, newTrackingId } from "../fault_listeners.ts";
import { HubFault } from "../hub_fault.ts";
import { utcTime } from "../hub_time.ts";

/** The error of an outcome, a detach or a close. */
export interface AmqpError {
  condition: string;
  description: string;
  info?: Record<string, string | number> | undefined;
}

const CONDITIONS: Readonly<Record<string, string>> = {
  DeviceAlreadyExists: "com.microsoft:device-already-exists",
  DeviceMaximumQueueDepthExceeded: "amqp:resource-limit-exceeded",
  DeviceMessageLockLost: "com.microsoft:message-lock-lost",
  EventReceiverStolen: "amqp:link:stolen",
  InvalidEventFilter: "amqp:not-allowed",
  InvalidEventPartition: "com.microsoft:argument-out-of-range",
  InvalidMessageExpiryTime: "com.microsoft:argument-out-of-range",
  InvalidOperation: "amqp:not-allowed",
  IotHubNotFound: "com.microsoft:iot-hub-not-found-error",
  IotHubQuotaExceeded: "com.microsoft:quota-exceeded",
  IotHubSuspended: "com.microsoft:iot-hub-suspended",
  MessageTooLarge: "amqp:link:message-size-exceeded",
  TooManyEventReceivers: "amqp:resource-limit-exceeded",
};

const CONDITIONS_BY_STATUS: Readonly<Record<number, string>> = {
  400: "com.microsoft:argument-error",
  401: "amqp:unauthorized-access",
  403: "amqp:not-allowed",
  404: "amqp:not-found",
  408: "com.microsoft:timeout",
  412: "com.microsoft:precondition-failed",
  429: "com.microsoft:device-container-throttled",
  501: "amqp:not-implemented",
  504: "com.microsoft:timeout",
};

/**
 * Converts whatever was thrown to an AMQP error. Only a {@linkcode HubFault} has a text that clients may see; anything
 * else is reported, which gives it a tracking id.
 */
export function amqpErrorOf(error: unknown, reporter: FaultReporter): AmqpError {
  return error instanceof HubFault
    ? amqpErrorOfFault(error, reporter.now())
    : internalAmqpError(reporter.report(error));
}

/** The error for an exception inside the hub. */
export function internalAmqpError(trackingId: string): AmqpError {
  return {
    condition: "amqp:internal-error",
    description: "The hub failed for an internal reason, which hub.onFault tells",
    info: { "com.microsoft:tracking-id": trackingId },
  };
}

function amqpErrorOfFault(fault: HubFault, now: number): AmqpError {
  const { code, status, errorNumber, message } = fault;
  const condition = CONDITIONS[code] ?? CONDITIONS_BY_STATUS[status] ?? "amqp:internal-error";
  const trackingId = newTrackingId();
  if (errorNumber === undefined) {
    return { condition, description: message, info: { "com.microsoft:tracking-id": trackingId } };
  }
  return {
    condition,
    description: JSON.stringify({
      errorCode: errorNumber,
      message,
      trackingId,
      timestampUtc: utcTime(now),
      info: null,
    }),
    info: { "com.microsoft:tracking-id": trackingId, "com.microsoft:error-code": errorNumber },
  };
}
