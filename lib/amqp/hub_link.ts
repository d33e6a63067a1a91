import { afterOutcomes } from "./after_outcomes.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import { conditionOf } from "./cbs_link.ts";
import { failureOfClose } from "./conditions.ts";
import type { HubConnection } from "./hub_connection.ts";
import type { EventContext, Receiver, Session } from "./library.ts";

/**
 * Begins a session for one link, and reports when either is lost while the connection may stay open. Each link has a
 * session of its own, since deliveries that never got a verdict stay in a session's buffer for ever.
 */
export function beginSession(hub: HubConnection, onLost: (failure: AmqpFailure) => void): Session {
  const session = hub.connection.create_session();
  let isLost = false;
  function lost(what: string, error: unknown, isRefused = false): void {
    if (isLost) return;
    isLost = true;
    session.close();
    const failure = failureOfClose(conditionOf(error), `the hub closed the ${what}`, hub.secrets, { isRefused });
    afterOutcomes(() => onLost(hub.explained(failure)));
  }
  for (const kind of ["sender", "receiver"] as const) {
    const onClose = (context: EventContext): void => {
      const link = context[kind];
      // Closed here, since the library would send the detach only after the end of the session.
      link?.close();
      // A hub refuses a link with an attach without an address, followed by a detach with the reason.
      const address = kind === "sender" ? link?.target?.address : link?.source?.address;
      lost("link", link?.error, !address);
    };
    session.on(`${kind}_error`, onClose);
    session.on(`${kind}_close`, onClose);
  }
  session.on("session_error", () => lost("session", session.error));
  session.on("session_close", () => lost("session", undefined));
  session.begin();
  return session;
}

/**
 * Ends a link and its session. A session that the hub has not agreed to yet is ended as soon as it has: the library takes the
 * hub's answer to one that was ended before for a wish to open it again, and then fails the connection, with all that use it.
 * A link that the hub has not agreed to goes with its session.
 */
export function endLink(link: Receiver): void {
  const { session } = link;
  if (link.is_open()) link.close();
  if (session.is_remote_open()) session.close();
  else session.once("session_open", () => session.close());
}
