import { C2D_ADDRESS } from "../messages/c2d_message.ts";
import { AmqpFailure } from "./amqp_failure.ts";
import { type AmqpBytes, deliveryTag } from "./buffer_class.ts";
import { failureOfCondition } from "./conditions.ts";
import type { HubConnection } from "./hub_connection.ts";
import { beginSession } from "./hub_link.ts";
import type { Delivery, EventContext, Sender } from "./library.ts";

/** The sender that uses a link, and is told what becomes of it and of its messages. */
export interface C2dLinkUser {
  /** The hub has granted credit to send more. */
  sendable(): void;
  /** The hub has sent its verdict on a message, which it has accepted if there is no failure. May be called twice. */
  answered(id: number, failure?: () => AmqpFailure): void;
  /** The hub has closed the link. Called once. */
  lost(failure: AmqpFailure): void;
}

/** The link to a hub on which messages for devices are sent. */
export class C2dLink {
  readonly #link: Sender;
  readonly #user: C2dLinkUser;
  readonly #connection: HubConnection;
  #handedOver = 0;
  #hasHadCredit = false;

  constructor(connection: HubConnection, userAgent: string, user: C2dLinkUser) {
    this.#user = user;
    this.#connection = connection;
    const session = beginSession(connection, (failure) => user.lost(failure));
    this.#link = session.open_sender({
      target: { address: C2D_ADDRESS },
      ...(userAgent === "" ? {} : { properties: { "com.microsoft:client-version": userAgent } }),
      treat_modified_as_released: false,
    });
    this.#listen();
  }

  /** Whether the hub has ever granted credit. If it closes a link before that, it has refused the link. */
  get hasHadCredit(): boolean {
    return this.#hasHadCredit;
  }

  /** Whether the hub's credit allows one more message, and the library has room for it. */
  get hasCredit(): boolean {
    // The library has not yet deducted from the credit what was handed over in this turn.
    return this.#link.is_open() && this.#link.sendable() &&
      this.#link.credit > this.#handedOver - this.#link.delivery_count;
  }

  /** Sends an encoded message, and returns the id under which the hub's verdict will come. */
  send(payload: AmqpBytes): number {
    return this.#link.send(payload, deliveryTag(this.#handedOver++), 0).id;
  }

  #listen(): void {
    const link = this.#link;
    link.once("sender_open", () => {
      // A hub refuses a link with an attach without an address.
      if (link.target?.address) this.#connection.tell({ kind: "linkAttached", address: C2D_ADDRESS });
    });
    link.on("sendable", () => {
      this.#hasHadCredit = true;
      this.#user.sendable();
    });
    link.on("accepted", ({ delivery }: EventContext) => this.#answered(delivery!));
    link.on("rejected", ({ delivery }: EventContext) => {
      const error = delivery!.remote_state?.error;
      this.#answered(
        delivery!,
        () => failureOfCondition(error, "the hub rejected the message", this.#connection.secrets),
      );
    });
    for (const outcome of ["released", "modified", "settled"]) {
      // "settled" follows each of the others, and matters only when none of them came.
      link.on(outcome, ({ delivery }: EventContext) => this.#answered(delivery!, () => notAccepted(outcome)));
    }
  }

  /** Takes a function, so that no failure is created for the "settled" that follows each accepted message. */
  #answered(delivery: Delivery, failure?: () => AmqpFailure): void {
    // If the hub leaves the settlement to the sender, the delivery would otherwise stay in the library's buffer.
    if (!delivery.remote_settled) delivery.update(true);
    this.#user.answered(delivery.id, failure);
  }
}

function notAccepted(outcome: string): AmqpFailure {
  return new AmqpFailure(`the hub did not accept the message (${outcome})`, {
    code: "MessageNotAccepted",
    retryable: true,
  });
}
