import { Buffer } from "node:buffer";
import type { Connection, Delivery, EventContext, Sender } from "rhea";
import rhea from "rhea";
import type { AmqpError } from "./conditions.ts";
import { encodeEvent } from "./event_encoder.ts";
import { tagOf, toAmqpMessage } from "./outgoing_message.ts";
import { type Guard, listen } from "./guard.ts";
import type { AmqpDelivery, AmqpSource, AmqpSourceEvents } from "./backend.ts";

/** Members of the library that its types do not declare. */
interface UndeclaredSender {
  credit: number;
  delivery_count: number;
  readonly local: { attach: { rcv_settle_mode: number; snd_settle_mode: number } };
  /** Called after all that may have changed what can be sent. */
  _process(): void;
}
/** What a session has to send. */
interface Outgoing {
  readonly next_delivery_id: number;
  readonly next_pending_delivery: number;
  /** How many messages the library takes. */
  available(): number;
  /** How many frames the client takes. */
  transfer_window(): number;
  process(): void;
}
interface UndeclaredOutcomes {
  accepted(): { described(): unknown };
  rejected(fields: { error: AmqpError }): { described(): unknown };
}

/** The settlement modes of the hub, whatever the client prefers: the client settles each message, or nobody does. */
const UNSETTLED = 0;
const SETTLED = 1;
const LOCK_LOST: AmqpError = {
  condition: "com.microsoft:message-lock-lost",
  description: "The lock of the message has expired: the message goes to the next receiver",
};

/** A link on which the hub sends. It sends from a source as the client grants credit, and settles by the outcomes. */
export class AmqpOutgoingLink {
  readonly #link: Sender;
  readonly #hostName: string;
  readonly #guard: Guard;
  readonly #isAllowed: () => boolean;
  readonly #source: AmqpSource;
  readonly #isPresettled: boolean;
  readonly #unsettled: Map<Delivery, AmqpDelivery> = new Map();
  /** The outcomes still to be confirmed, to a client that settles only after the hub does. */
  readonly #confirmations: [Delivery, outcome: unknown][] = [];
  /** How many messages have had a tag of the link's own. */
  #tags = 0;
  /** Whether there is credit, but the session takes no more. */
  #isBlocked = false;
  #isDraining = false;
  #isAwake = false;
  #isClosed = false;

  /**
   * @param link The library's link.
   * @param hostName The hub's host name.
   * @param guard Catches what the handlers of events and the work of microtasks throw.
   * @param open Opens the source. What it throws is passed on.
   * @param isPresettled Whether nobody settles what is sent.
   * @param isAllowed Tells whether the client may still receive. It is called before each message and each outcome.
   * @param onEnd Called with the reason when the source ends.
   */
  constructor(
    link: Sender,
    hostName: string,
    guard: Guard,
    open: (events: AmqpSourceEvents) => AmqpSource,
    isPresettled: boolean,
    isAllowed: () => boolean,
    onEnd: (reason: AmqpError) => void,
  ) {
    this.#link = link;
    this.#hostName = hostName;
    this.#guard = guard;
    this.#isAllowed = isAllowed;
    this.#source = open({ wake: () => this.#wake(), end: onEnd });
    const undeclared = link as unknown as UndeclaredSender;
    const process = undeclared._process.bind(link);
    undeclared._process = () => {
      process();
      if (this.#isBlocked && this.#room > 0) this.#wake();
    };
    const { attach } = undeclared.local;
    this.#isPresettled = isPresettled;
    attach.snd_settle_mode = isPresettled ? SETTLED : UNSETTLED;
    attach.rcv_settle_mode = link.rcv_settle_mode;
    listen(link, guard, {
      sender_flow: () => this.#wake(),
      sender_draining: () => this.#isDraining = true,
      accepted: (context) => this.#settle(context, "complete"),
      released: (context) => this.#settle(context, "abandon"),
      modified: (context) => this.#settle(context, "abandon"),
      rejected: (context) => this.#settle(context, "reject"),
      // The client has settled without naming an outcome.
      settled: ({ delivery }) => this.#forget(delivery!)?.unlock(),
    });
    this.#wake();
  }

  /** Ends the link: messages without an outcome return to their queue. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // An outcome that arrived just before the end counts, although the library has not reported it yet.
    this.#outgoing.process();
    for (const delivery of this.#unsettled.values()) delivery.unlock();
    this.#unsettled.clear();
    this.#source.close();
  }

  /** Schedules the work, since the library must not be called from within its own events. */
  #wake(): void {
    if (this.#isAwake || this.#isClosed) return;
    this.#isAwake = true;
    queueMicrotask(() => {
      this.#isAwake = false;
      if (!this.#isClosed) this.#guard(() => this.#work());
    });
  }

  #work(): void {
    const { connection } = this.#link;
    for (const [delivery, outcome] of this.#confirmations.splice(0)) {
      delivery.update(true, outcome as Parameters<Delivery["update"]>[1]);
      // Each is written by itself, since the library would write the first outcome of a turn for all of them.
      write(connection);
      // The client need not confirm the settlement. Without this, the library would keep the delivery for ever.
      (delivery as { remote_settled: boolean }).remote_settled = true;
    }
    this.#sendAll();
    if (!this.#isDraining) return;
    this.#isDraining = false;
    useUpCredit(this.#link as Sender & UndeclaredSender);
    this.#link.set_drained(true);
    write(connection);
  }

  #sendAll(): void {
    const link = this.#link as Sender & UndeclaredSender;
    // The client may grant credit before it knows that the link is open, so the attach must go out first.
    write(link.connection);
    while (link.is_open() && this.#isAllowed()) {
      const room = this.#room;
      this.#isBlocked = room === 0 && link.credit > 0;
      // All that the client takes is handed over before it is written, which costs less than one by one.
      for (let left = room; left > 0; left--) {
        const next = this.#source.next();
        if (next === undefined) return write(link.connection);
        const delivery = this.#send(next);
        if (!this.#isPresettled) this.#unsettled.set(delivery, next);
      }
      if (room === 0) return;
      write(link.connection);
    }
  }

  /** How many messages can be sent now. One that is large may have to wait in the library, and all others for it. */
  get #room(): number {
    const outgoing = this.#outgoing;
    if (outgoing.next_pending_delivery < outgoing.next_delivery_id) return 0;
    const { credit } = this.#link as Sender & UndeclaredSender;
    const room = Math.min(credit, outgoing.available(), outgoing.transfer_window());
    // A client can take back more credit than it has granted, or say nothing of its window.
    return room > 0 ? room : 0;
  }

  get #outgoing(): Outgoing {
    return (this.#link.session as unknown as { outgoing: Outgoing }).outgoing;
  }

  #send(next: AmqpDelivery): Delivery {
    try {
      const { content, lockToken } = next;
      const tag = lockToken === undefined ? this.#nextTag() : tagOf(lockToken);
      if (content.kind === "event") return this.#link.send(encodeEvent(content), tag, 0);
      return this.#link.send(toAmqpMessage(content, tag, this.#hostName), tag);
    } catch (error) {
      // It cannot be written now or later, and would end the connection of every receiver.
      next.reject();
      throw error;
    }
  }

  #nextTag(): Buffer {
    const tag = Buffer.allocUnsafe(4);
    tag.writeUInt32BE(this.#tags++ >>> 0);
    return tag;
  }

  #settle({ delivery }: EventContext, how: "complete" | "abandon" | "reject"): void {
    const settled = this.#forget(delivery!);
    if (settled === undefined) return;
    // The check closes a link that has lost its right, which returns only the other messages to their queue.
    if (!this.#isAllowed()) return settled.unlock();
    const isDone = settled[how]();
    if (!delivery!.remote_settled) {
      this.#confirmations.push([delivery!, isDone ? describe(delivery!) : rejected(LOCK_LOST)]);
    }
    this.#wake();
  }

  #forget(delivery: Delivery): AmqpDelivery | undefined {
    const known = this.#unsettled.get(delivery);
    this.#unsettled.delete(delivery);
    return known;
  }
}

/** Uses up all credit but one, which the library counts down by one each, and never ends if it is negative. */
function useUpCredit(link: UndeclaredSender): void {
  if (link.credit > 1) link.delivery_count += link.credit - 1;
  link.credit = link.credit > 0 ? 1 : 0;
}

/** Returns the client's own outcome in the form in which the hub confirms it. */
function describe(delivery: Delivery): unknown {
  const { remote_state } = delivery as unknown as { remote_state: { described(): unknown } };
  return remote_state.described();
}

function rejected(error: AmqpError): unknown {
  return (rhea.message as unknown as UndeclaredOutcomes).rejected({ error }).described();
}

/** Writes every frame that is pending. */
function write(connection: Connection): void {
  (connection as unknown as { _process(): void })._process();
}
