import type { LocalHubEvent } from "../activity/hub_event.ts";
import type { ProgramOptions } from "./options.ts";

const RESET = "\x1b[0m";
const RED = "\x1b[31m";
const YELLOW = "\x1b[33m";
const GREEN = "\x1b[32m";
const DIM = "\x1b[2m";

/** Whether somebody wants to see an event. */
export function isShown(
  event: LocalHubEvent,
  { kinds, deviceIds }: Pick<ProgramOptions, "kinds" | "deviceIds">,
): boolean {
  if (!kinds.has(event.kind)) return false;
  return deviceIds.size === 0 || ("deviceId" in event && event.deviceId !== undefined && deviceIds.has(event.deviceId));
}

/** Tells of an event in a line: when, how it has gone, who, what, and how long it took. */
export function lineOf(event: LocalHubEvent, hasColours: boolean): string {
  const { status, words, durationInMs } = contentOf(event);
  const parts = [
    event.timeUtc.toISOString().slice(11, 23),
    status === undefined ? "   " : String(status),
    words.filter((word) => word !== undefined && word !== "").map(printable).join("  "),
    durationInMs === undefined ? "" : `${durationInMs.toFixed(1)} ms`,
  ].filter((part) => part !== "");
  if (!hasColours) return parts.join("  ");
  const colour = status === undefined ? "" : status >= 500 ? RED : status >= 400 ? YELLOW : GREEN;
  const [time = "", state = "", ...rest] = parts;
  return `${DIM}${time}${RESET}  ${colour}${state}${RESET}  ${rest.join("  ")}`;
}

interface LineContent {
  readonly status?: number | undefined;
  readonly words: readonly (string | undefined)[];
  readonly durationInMs?: number | undefined;
}

function contentOf(event: LocalHubEvent): LineContent {
  const who = "deviceId" in event ? targetOf(event) : undefined;
  switch (event.kind) {
    case "operation": {
      const { status, durationInMs, operation = "a request for nothing", caller = "nobody", errorCode } = event;
      return { status, durationInMs, words: [operation, who, errorCode, `by ${caller}`, event.protocol] };
    }
    case "deviceAct": {
      const { status, durationInMs, act, methodName, methodStatus, errorCode } = event;
      const answer = methodStatus === undefined ? undefined : `with ${methodStatus}`;
      return { status, durationInMs, words: [act, methodName, answer, errorCode, `by ${who}`, event.protocol] };
    }
    case "methodCall": {
      const { status, durationInMs, methodName, methodStatus, errorCode } = event;
      const answer = methodStatus === undefined ? undefined : `answered with ${methodStatus}`;
      return { status, durationInMs, words: [`method ${methodName}`, answer, errorCode, `of ${who}`] };
    }
    case "message":
      return { words: [`message ${event.sequenceNumber} ${event.change}`, `for ${who}`] };
    case "desiredChange":
      return { words: [`desired version ${event.version}`, `told to ${who}`, event.protocol] };
    case "connection":
      return { words: [event.change, who, event.reason, event.protocol] };
    case "refusedSignIn":
      return { status: 401, words: ["sign-in refused", event.errorCode, event.protocol, event.reason] };
  }
}

function targetOf({ deviceId, moduleId }: { deviceId?: string | undefined; moduleId?: string | undefined }): string {
  return [deviceId, moduleId].filter((id) => id !== undefined).join("/");
}

/** Names come from outside, and a terminal obeys control characters. */
function printable(text: string | undefined): string {
  // deno-lint-ignore no-control-regex
  return (text ?? "").replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
