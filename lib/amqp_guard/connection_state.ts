import { joinBytes } from "../values/join_bytes.ts";
import { AmqpFault, decodeFault, limitFault, notAllowed } from "./amqp_fault.ts";
import { checkMessage } from "./check_message.ts";
import type { CompositeReader } from "./composite_reader.ts";
import { FRAGMENT_OVERHEAD, type GuardLimits, MAX_DELIVERY_TAG } from "./guard_limits.ts";

/** A link that the peer has attached. */
interface Link {
  readonly isSending: boolean;
  /** The parts of a message that has not come to its end, and how many bytes they have. */
  parts: Uint8Array[];
  size: number;
  /** The format that the message began with. Only those of format 0 are decoded. */
  format: number | undefined;
}

/** What the guard knows of a connection: the sessions and links of the peer, and the messages that are on their way. */
export class ConnectionState {
  readonly #limits: GuardLimits;
  readonly #sessions: Map<number, Map<number, Link>> = new Map();
  /** The channels of sessions that have ended, as long as none has begun there anew. */
  readonly #ended: Set<number> = new Set();
  #links = 0;
  #unfinishedBytes = 0;

  constructor(limits: GuardLimits) {
    this.#limits = limits;
  }

  begin(channel: number, remoteChannel: number | undefined): void {
    const { channelMax, isHub } = this.#limits;
    if (channel > channelMax) throw notAllowed(`Session ${channel} is above the channel-max of ${channelMax}`);
    if (this.#sessions.has(channel)) throw notAllowed(`Session ${channel} has begun already`);
    if ((remoteChannel === undefined) !== isHub) throw notAllowed("Only clients begin sessions");
    this.#sessions.set(channel, new Map());
    this.#ended.delete(channel);
  }

  /** Whether a session has ended, and no other has begun on its channel. */
  hasEnded(channel: number): boolean {
    return this.#ended.has(channel);
  }

  attach(channel: number, handle: number, isReceiver: boolean): void {
    const { handleMax, maxLinks } = this.#limits;
    const links = this.#session(channel);
    if (handle > handleMax) throw notAllowed(`Link ${handle} is above the handle-max of ${handleMax}`);
    if (links.has(handle)) throw new AmqpFault("amqp:session:handle-in-use", `Link ${handle} is attached already`);
    if (++this.#links > maxLinks) throw limitFault(`A connection can have ${maxLinks} links`);
    links.set(handle, { isSending: !isReceiver, parts: [], size: 0, format: undefined });
  }

  /** Checks that a session has begun, and that the link is attached if the frame names one. */
  use(channel: number, handle: number | undefined): void {
    if (handle === undefined) this.#session(channel);
    else this.#link(channel, handle);
  }

  detach(channel: number, handle: number): void {
    this.#forgetParts(this.#link(channel, handle));
    this.#session(channel).delete(handle);
    this.#links--;
  }

  end(channel: number): void {
    const links = this.#session(channel);
    for (const link of links.values()) this.#forgetParts(link);
    this.#links -= links.size;
    this.#sessions.delete(channel);
    this.#ended.add(channel);
  }

  /**
   * Takes a transfer, whose fields have just been read. Checks the message when it is whole.
   *
   * @returns Whether more of the message is to come.
   */
  transfer(channel: number, reader: CompositeReader, bytes: Uint8Array, start: number, end: number): boolean {
    const [handle, id, tagSize, format, , more, , , , aborted] = reader.fields;
    const link = this.#link(channel, handle!);
    if (!link.isSending) throw notAllowed(`Link ${handle} receives, and cannot send`);
    if (aborted === 1) throw new AmqpFault("amqp:not-implemented", "Messages that are aborted are not supported");
    const isFirst = link.parts.length === 0;
    if (isFirst) {
      if (id === undefined || tagSize === undefined) throw decodeFault("A message has no delivery-id or delivery-tag");
      // Before a tag stands its own size, in up to four bytes.
      if (tagSize > MAX_DELIVERY_TAG + 4) throw decodeFault("A delivery-tag is too long");
      link.format = format;
    }
    const { maxMessageSize } = this.#limits;
    if (link.size + end - start > maxMessageSize) {
      const description = `A message is larger than the max-message-size of ${maxMessageSize} bytes`;
      throw new AmqpFault("amqp:link:message-size-exceeded", description);
    }
    if (start === end) throw decodeFault("A transfer carries nothing");
    if (more === 1) {
      this.#keepPart(link, bytes.subarray(start, end));
      return true;
    }
    if (isFirst) {
      if (link.format === 0) checkMessage(reader, bytes, start, end);
      return false;
    }
    this.#keepPart(link, bytes.subarray(start, end));
    const whole = joinBytes(link.parts);
    this.#forgetParts(link);
    if (link.format === 0) checkMessage(reader, whole, 0, whole.byteLength);
    return false;
  }

  #keepPart(link: Link, part: Uint8Array): void {
    this.#unfinishedBytes += part.byteLength + FRAGMENT_OVERHEAD;
    if (this.#unfinishedBytes > this.#limits.maxUnfinishedBytes) {
      throw limitFault("Too many messages have not come to their end");
    }
    link.parts.push(new Uint8Array(part));
    link.size += part.byteLength;
  }

  #forgetParts(link: Link): void {
    this.#unfinishedBytes -= link.size + FRAGMENT_OVERHEAD * link.parts.length;
    link.parts = [];
    link.size = 0;
  }

  #session(channel: number): Map<number, Link> {
    const links = this.#sessions.get(channel);
    if (links === undefined) throw notAllowed(`Session ${channel} has not begun`);
    return links;
  }

  #link(channel: number, handle: number): Link {
    const link = this.#session(channel).get(handle);
    if (link === undefined) {
      throw new AmqpFault("amqp:session:unattached-handle", `Link ${handle} of session ${channel} is not attached`);
    }
    return link;
  }
}
