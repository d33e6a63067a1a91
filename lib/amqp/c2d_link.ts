import type { Delivery, EventContext, Sender } from "rhea";
import { AmqpFailure } from "./amqp_failure.ts";
import { type AmqpBytes, deliveryTag } from "./buffer_class.ts";
import { failureOfCondition } from "./conditions.ts";
import type { HubConnection } from "./hub_connection.ts";
import { beginSession } from "./hub_link.ts";

const ADDRESS = "/messages/devicebound";

/** Who sends on a link, and is told what becomes of it. */
export interface C2dLinkUser {
  /** More can be sent. */
  sendable(): void;
  /** The hub has said what it did with a message; without a failure, it has accepted it. May come twice. */
  answered(id: number, failure?: () => AmqpFailure): void;
  /** The hub has closed the link. Called once. */
  lost(failure: AmqpFailure): void;
}

/** What the library knows of a sender but does not declare. */
interface SenderCounters {
  readonly credit: number;
  /** How many messages have left. */
  readonly delivery_count: number;
}

/** The link to a hub on which messages for devices are sent. */
export class C2dLink {
  readonly #link: Sender & SenderCounters;
  readonly #user: C2dLinkUser;
  readonly #connection: HubConnection;
  #handedOver = 0;
  #hasHadCredit = false;

  constructor(connection: HubConnection, userAgent: string, user: C2dLinkUser) {
    this.#user = user;
    this.#connection = connection;
    const session = beginSession(connection, (failure) => user.lost(failure));
    this.#link = session.open_sender({
      target: { address: ADDRESS },
      ...(userAgent === "" ? {} : { properties: { "com.microsoft:client-version": userAgent } }),
      treat_modified_as_released: false,
    }) as Sender & SenderCounters;
    this.#listen();
  }

  /** Whether the hub has ever let this side send; a link that it closes before was refused. */
  get hasHadCredit(): boolean {
    return this.#hasHadCredit;
  }

  /** Whether the hub's credit is good for one more message, and the library has room for it. */
  get hasCredit(): boolean {
    // What was handed over in this turn has not been taken off the credit yet.
    return this.#link.is_open() && this.#link.sendable() &&
      this.#link.credit > this.#handedOver - this.#link.delivery_count;
  }

  /** Sends an encoded message; the result is the id under which it will be answered. */
  send(payload: AmqpBytes): number {
    return this.#link.send(payload, deliveryTag(this.#handedOver++), 0).id;
  }

  #listen(): void {
    const link = this.#link;
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
      // "settled" follows each of the others, and means something only where none went before.
      link.on(outcome, ({ delivery }: EventContext) => this.#answered(delivery!, () => notAccepted(outcome)));
    }
  }

  /** The failure is not made before it is wanted: "settled" follows each message that was accepted. */
  #answered(delivery: Delivery, failure?: () => AmqpFailure): void {
    // A hub that leaves the last word to the sender gets it; else the delivery would stay in the library's buffer.
    if (!delivery.remote_settled) delivery.update(true);
    this.#user.answered(delivery.id, failure);
  }
}

function notAccepted(outcome: string): AmqpFailure {
  return new AmqpFailure(`the hub did not take the message (${outcome})`, {
    code: "MessageNotAccepted",
    retryable: true,
  });
}
