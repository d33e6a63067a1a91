import { HubFault } from "../hub_fault.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `GET /messages/serviceBound/feedback`: locks the next feedback message and returns it. */
export function lockFeedback({ hub }: RestCall): RestAnswer {
  const message = hub.feedback.lockNext(hub.now());
  if (message === undefined) return { status: 204 };
  const { lockToken, body } = message;
  return ok(JSON.parse(body), { "iothub-messagelocktoken": lockToken, "etag": `"${lockToken}"` });
}

/** `DELETE /messages/serviceBound/feedback/{lockToken}`: completes a feedback message. */
export function completeFeedback({ hub, ids }: RestCall): RestAnswer {
  return settlementAnswer(hub.feedback.complete(ids[0]!, hub.now()));
}

/** `POST /messages/serviceBound/feedback/{lockToken}/abandon`: returns a feedback message to its queue. */
export function abandonFeedback({ hub, ids }: RestCall): RestAnswer {
  return settlementAnswer(hub.feedback.abandon(ids[0]!, hub.now()));
}

function settlementAnswer(isSettled: boolean): RestAnswer {
  if (isSettled) return { status: 204 };
  throw new HubFault(
    "DeviceMessageLockLost",
    412,
    "No message is locked by this token: a lock ends after a minute or with a settlement. Receive the feedback again",
  );
}
