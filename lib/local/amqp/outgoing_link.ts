import type { Connection, Delivery, EventContext, Message, Sender } from "rhea";
import rhea from "rhea";
import type { AmqpError } from "./conditions.ts";
import { tagOf, writeMessage } from "./outgoing_message.ts";
import type { AmqpDelivery, AmqpSource, AmqpSourceEvents } from "./source.ts";

/** What the library can do, but does not declare. */
interface UndeclaredSender {
  readonly credit: number;
  readonly local: { attach: { rcv_settle_mode: number; snd_settle_mode: number } };
}
interface UndeclaredOutcomes {
  accepted(): { described(): unknown };
  rejected(fields: { error: AmqpError }): { described(): unknown };
}

/** How the hub sends, whatever the client prefers: the client says what becomes of each message. */
const UNSETTLED = 0;
const LOCK_LOST: AmqpError = {
  condition: "com.microsoft:message-lock-lost",
  description: "The lock of the message has run out: it goes to the next receiver",
};

/** A link on which the hub sends: from a source, as the client gives credit, until each message has its outcome. */
export class AmqpOutgoingLink {
  readonly #link: Sender;
  readonly #hostName: string;
  readonly #isAllowed: () => boolean;
  readonly #source: AmqpSource;
  readonly #unsettled: Map<Delivery, AmqpDelivery> = new Map();
  /** Outcomes to be confirmed to a client that waits for that. */
  readonly #confirmations: [Delivery, outcome: unknown][] = [];
  #isDraining = false;
  #isAwake = false;
  #isClosed = false;

  /**
   * @param open opens the source; what it throws is passed on
   * @param isAllowed whether the client may still receive, asked before each message and each outcome
   * @param onEnd is told why when the source ends
   */
  constructor(
    link: Sender,
    hostName: string,
    open: (events: AmqpSourceEvents) => AmqpSource,
    isAllowed: () => boolean,
    onEnd: (reason: AmqpError) => void,
  ) {
    this.#link = link;
    this.#hostName = hostName;
    this.#isAllowed = isAllowed;
    this.#source = open({ wake: () => this.#wake(), end: onEnd });
    const { attach } = (link as unknown as UndeclaredSender).local;
    attach.snd_settle_mode = UNSETTLED;
    attach.rcv_settle_mode = link.rcv_settle_mode;
    link.on("sender_flow", () => this.#wake());
    link.on("sender_draining", () => this.#isDraining = true);
    link.on("accepted", (context: EventContext) => this.#settle(context, "complete"));
    link.on("released", (context: EventContext) => this.#settle(context, "abandon"));
    link.on("modified", (context: EventContext) => this.#settle(context, "abandon"));
    link.on("rejected", (context: EventContext) => this.#settle(context, "reject"));
    // Settled without a word about the outcome.
    link.on("settled", ({ delivery }: EventContext) => this.#forget(delivery!)?.unlock());
    this.#wake();
  }

  /** The link is gone: what has no outcome goes back. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // An outcome that came just before the end counts, although the library has not told it yet.
    const { outgoing } = this.#link.session as unknown as { outgoing: { process(): void } };
    outgoing.process();
    for (const delivery of this.#unsettled.values()) delivery.unlock();
    this.#unsettled.clear();
    this.#source.close();
  }

  /** The library is not to be entered again from within its own events. */
  #wake(): void {
    if (this.#isAwake || this.#isClosed) return;
    this.#isAwake = true;
    queueMicrotask(() => {
      this.#isAwake = false;
      if (!this.#isClosed) this.#work();
    });
  }

  #work(): void {
    const { connection } = this.#link;
    for (const [delivery, outcome] of this.#confirmations.splice(0)) {
      delivery.update(true, outcome as Parameters<Delivery["update"]>[1]);
      // Each by itself: of unlike outcomes in one turn the library writes the first for all.
      write(connection);
      // The client, which has the last word, need not say it: the library would keep the delivery for good.
      (delivery as { remote_settled: boolean }).remote_settled = true;
    }
    this.#sendAll();
    if (!this.#isDraining) return;
    this.#isDraining = false;
    this.#link.set_drained(true);
    write(connection);
  }

  #sendAll(): void {
    const link = this.#link as Sender & UndeclaredSender;
    // The client may give credit before it has seen that the link is open.
    write(link.connection);
    while (link.is_open() && link.sendable() && this.#isAllowed()) {
      const next = this.#source.next();
      if (next === undefined) return;
      const { credit } = link;
      const message: Message = writeMessage(next.content, next.lockToken, this.#hostName);
      this.#unsettled.set(link.send(message, tagOf(next.lockToken)), next);
      write(link.connection);
      // The window of the session is used up: an outcome will open it, and wake this link.
      if (link.credit === credit) return;
    }
  }

  #settle({ delivery }: EventContext, how: "complete" | "abandon" | "reject"): void {
    const settled = this.#forget(delivery!);
    // A link that has lost its right is closed by the question, and the message goes back with the others.
    if (settled === undefined) return;
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

/** The client's own outcome, to be sent back. */
function describe(delivery: Delivery): unknown {
  const { remote_state } = delivery as unknown as { remote_state: { described(): unknown } };
  return remote_state.described();
}

function rejected(error: AmqpError): unknown {
  return (rhea.message as unknown as UndeclaredOutcomes).rejected({ error }).described();
}

/** Writes what has been decided so far. */
function write(connection: Connection): void {
  (connection as unknown as { _process(): void })._process();
}
