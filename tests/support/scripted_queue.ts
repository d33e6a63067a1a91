import { Buffer } from "node:buffer";
import rhea from "rhea";
import type { Delivery, Message, Sender } from "rhea";
import { EventLog } from "./event_log.ts";

/** What the library has but does not declare. */
interface Dispositions {
  on_disposition(frame: unknown): void;
}

/** A link, with what the library has but does not declare, and what it was given. */
interface QueueLink {
  readonly link: Sender & { readonly credit: number; readonly delivery_count: number };
  handedOver: number;
}

/**
 * A queue of a scripted hub towards back ends: it sends a message for each credit, takes back what was not accepted, and
 * writes down what it sees: `attached`, `credit 1`, `sent`, the outcomes, `detached`.
 */
export class ScriptedQueue {
  readonly log: EventLog = new EventLog();
  readonly links: Sender[] = [];
  readonly #links: QueueLink[] = [];
  readonly #waiting: Uint8Array[] = [];
  readonly #open: Map<Delivery, { link: Sender; body: Uint8Array }> = new Map();

  /** Adds a message; what is not text or bytes is made JSON. */
  put(value: unknown): void {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    this.#waiting.push(value instanceof Uint8Array ? value : new TextEncoder().encode(text));
    this.#sendLater();
  }

  /** Agrees to a link. To be given to the hub. */
  readonly attach = (link: Sender): void => {
    link.set_source({ address: link.source.address });
    this.links.push(link);
    this.#links.push({ link: link as QueueLink["link"], handedOver: 0 });
    this.log.add("attached");
    link.on("sender_flow", () => this.log.add(`credit ${(link as Sender & { credit: number }).credit}`));
    link.on("sendable", () => this.#sendLater());
    // At the frame itself: the library tells of outcomes after it has told of the closed links that came behind them.
    const session = link.session as unknown as Dispositions;
    const { on_disposition } = session;
    session.on_disposition = (frame) => {
      Reflect.apply(on_disposition, session, [frame]);
      for (const delivery of this.#open.keys()) this.#look(delivery);
    };
    let isLost = false;
    const lost = (): void => {
      if (isLost) return;
      isLost = true;
      this.log.add("detached");
      for (const [delivery, { link: other }] of this.#open) if (other === link) this.#takeBack(delivery);
      this.#sendLater();
    };
    link.once("sender_close", lost);
    link.session.once("session_close", lost);
    link.connection.once("connection_close", lost);
    link.connection.once("disconnected", lost);
  };

  /** Not in this turn, in which the library would send a message before its answer to the link. */
  #sendLater(): void {
    setImmediate(() => this.#send());
  }

  #send(): void {
    for (const each of this.#links) {
      const { link } = each;
      // What was handed over may not have been taken off the credit yet.
      while (this.#waiting.length > 0 && link.is_open() && link.credit > each.handedOver - link.delivery_count) {
        each.handedOver++;
        const body = this.#waiting.shift()!;
        this.log.add("sent");
        const message = { body: rhea.message.data_section(Buffer.from(body)) } as unknown as Message;
        this.#open.set(link.send(message), { link, body });
      }
    }
  }

  #look(delivery: Delivery): void {
    const state = delivery.remote_state as unknown as { constructor: { composite_type: string } } | undefined;
    if (state === undefined) return;
    this.log.add(state.constructor.composite_type);
    if (state.constructor.composite_type === "accepted") this.#open.delete(delivery);
    else this.#takeBack(delivery);
  }

  #takeBack(delivery: Delivery): void {
    const open = this.#open.get(delivery);
    if (open === undefined) return;
    this.#open.delete(delivery);
    this.#waiting.unshift(open.body);
  }
}
