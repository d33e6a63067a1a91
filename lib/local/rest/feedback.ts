import { HubFault } from "../hub_fault.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `GET /messages/serviceBound/feedback` */
export function receiveFeedback({ hub }: RestCall): RestAnswer {
  const message = hub.feedback.lockNext(hub.now());
  if (message === undefined) return { status: 204 };
  const { lockToken, body } = message;
  return ok(JSON.parse(body), { "iothub-messagelocktoken": lockToken, "etag": `"${lockToken}"` });
}

/** `DELETE /messages/serviceBound/feedback/{lockToken}` */
export function completeFeedback({ hub, ids }: RestCall): RestAnswer {
  return settled(hub.feedback.complete(ids[0]!, hub.now()));
}

/** `POST /messages/serviceBound/feedback/{lockToken}/abandon` */
export function abandonFeedback({ hub, ids }: RestCall): RestAnswer {
  return settled(hub.feedback.abandon(ids[0]!, hub.now()));
}

function settled(isSettled: boolean): RestAnswer {
  if (isSettled) return { status: 204 };
  throw new HubFault(
    "DeviceMessageLockLost",
    412,
    "Nothing is locked by this token: a lock ends after a minute, or with the first settlement. Receive the feedback anew",
  );
}
