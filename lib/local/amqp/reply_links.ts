import type { Message, Sender } from "rhea";
import { wrongArgumentType } from "../argument_faults.ts";
import { isIdValue } from "./incoming_message.ts";
import { toCorrelationId } from "./outgoing_message.ts";

/** The links on which a node of a connection replies to requests. */
export class ReplyLinks {
  readonly #links: Set<Sender> = new Set();

  /** Replies on a link from now on: to requests that name its target, and to those that name none. */
  add(link: Sender): void {
    this.#links.add(link);
  }

  /** Sends a reply, unless no link takes it. */
  send(request: Message, reply: { readonly application_properties: object; readonly body: unknown }): void {
    const link = this.#linkFor(request.reply_to);
    // What has the wrong type is left out, since the library could not encode it.
    const message = {
      to: isReplyTo(request.reply_to) ? request.reply_to : undefined,
      correlation_id: isIdValue(request.message_id) ? toCorrelationId(request.message_id) : undefined,
      ...reply,
    };
    try {
      link?.send(message as unknown as Message);
    } catch {
      // The client takes no replies, and the library has no room for more of them.
    }
  }

  #linkFor(replyTo: unknown): Sender | undefined {
    let last: Sender | undefined;
    for (const link of this.#links) {
      if (!link.is_open()) this.#links.delete(link);
      else last = link;
    }
    return [...this.#links].find(({ target }) => typeof replyTo === "string" && target?.address === replyTo) ?? last;
  }
}

/**
 * Throws unless the properties with which a request says how to reply have the right types.
 *
 * @throws {HubFault} `ArgumentInvalid` (400).
 */
export function checkReplyProperties(request: Message): void {
  if (!isReplyTo(request.reply_to)) throw wrongArgumentType("the property reply-to", request.reply_to, "a string");
  if (request.message_id !== undefined && !isIdValue(request.message_id)) {
    throw wrongArgumentType("the property message-id", request.message_id, "a string, a ulong, a UUID or binary");
  }
}

function isReplyTo(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
