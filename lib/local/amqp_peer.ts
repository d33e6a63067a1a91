import rhea from "rhea";
import type { Connection, EventContext, Message, Receiver, Sender } from "rhea";
import { BackgroundTimer } from "../amqp/background_timer.ts";
import { amqpErrorOf } from "./amqp_conditions.ts";
import { type MessageTarget, parseTarget, readMessage } from "./amqp_message.ts";
import type { CloudMessage } from "./cloud_message.ts";
import { HubFault, unauthorized } from "./hub_fault.ts";

/** What the AMQP side needs of the hub. */
export interface AmqpBackend {
  /** The hub's own name. */
  readonly hostName: string;
  /** Checks `SharedAccessSignature …` or `Bearer …`; rejects with a {@linkcode HubFault} of status 401 if it does not hold. */
  verifyToken(token: string): Promise<{ expiresOn: number; rights: ReadonlySet<string> }>;
  /** Queues a message; throws a {@linkcode HubFault} if that cannot be. */
  enqueueMessage(target: MessageTarget, message: CloudMessage): void;
}

const CBS_ADDRESS = "$cbs";
const DEVICEBOUND_ADDRESS = "/messages/devicebound";
const SEND_RIGHT = "ServiceConnect";
const CREDIT_WINDOW = 500;
const TOKEN_TYPES: readonly string[] = ["servicebus.windows.net:sastoken", "azure-devices.net:sastoken", "bearer"];

/** One client's connection, as the hub sees it: the rights it has proved, and the links that depend on them. */
export class AmqpPeer {
  readonly #backend: AmqpBackend;
  readonly #authorizedLinks: Set<Receiver | Sender> = new Set();
  readonly #expiry: BackgroundTimer = new BackgroundTimer();
  #rights: ReadonlySet<string> = new Set();
  #replies: Sender | undefined;

  constructor(backend: AmqpBackend, connection: Connection) {
    this.#backend = backend;
    connection.on("receiver_open", ({ receiver }: EventContext) => this.#onSendingClient(receiver!));
    connection.on("sender_open", ({ sender }: EventContext) => this.#onReceivingClient(sender!));
    connection.on("receiver_close", ({ receiver }: EventContext) => this.#authorizedLinks.delete(receiver!));
    connection.on("sender_close", ({ sender }: EventContext) => this.#authorizedLinks.delete(sender!));
  }

  /** Forgets the timer; the connection is gone. */
  end(): void {
    this.#expiry.clear();
  }

  #onSendingClient(link: Receiver): void {
    const address = link.target?.address ?? "";
    switch (pathOf(address)) {
      case CBS_ADDRESS:
        link.on("message", (context: EventContext) => void this.#putToken(context));
        return accept(link);
      case DEVICEBOUND_ADDRESS:
        if (!this.#require(SEND_RIGHT, link)) return;
        link.on("message", (context: EventContext) => this.#enqueue(context));
        return accept(link);
      default:
        link.close(amqpErrorOf(unknownAddress(address)));
    }
  }

  #onReceivingClient(link: Sender): void {
    const address = link.source?.address ?? "";
    if (pathOf(address) !== CBS_ADDRESS) return link.close(amqpErrorOf(unknownAddress(address)));
    link.set_source({ address });
    this.#replies = link;
  }

  /** Whether the client has the right; a link for which it has not is closed. */
  #require(right: string, link: Receiver | Sender): boolean {
    if (this.#rights.has(right)) {
      this.#authorizedLinks.add(link);
      return true;
    }
    link.close(
      amqpErrorOf(unauthorized("IotHubUnauthorizedAccess", `The client has no token with the right ${right}`)),
    );
    return false;
  }

  #enqueue({ message, delivery, receiver }: EventContext): void {
    try {
      this.#backend.enqueueMessage(parseTarget(message!.to), readMessage(message!));
      delivery!.accept();
    } catch (error) {
      // Of unlike outcomes in one turn the library writes the first for all: a rejection goes out by itself.
      writeOutcomes(receiver!);
      delivery!.reject(amqpErrorOf(error));
      writeOutcomes(receiver!);
    }
  }

  async #putToken({ message, delivery }: EventContext): Promise<void> {
    delivery!.accept();
    try {
      const { expiresOn, rights } = await this.#backend.verifyToken(readToken(message!));
      this.#rights = rights;
      this.#expiry.setAt(expiresOn, () => this.#expire());
      this.#reply(message!, 200, "OK");
    } catch (error) {
      if (error instanceof HubFault) this.#reply(message!, error.status, error.message);
      else this.#reply(message!, 500, amqpErrorOf(error).description);
    }
  }

  #reply(request: Message, status: number, description: string): void {
    if (!this.#replies?.is_open()) return;
    this.#replies.send({
      to: request.reply_to,
      correlation_id: request.message_id,
      application_properties: { "status-code": rhea.types.wrap_int(status), "status-description": description },
      body: null,
    } as unknown as Message);
  }

  /** A token that ran out takes the links with it. */
  #expire(): void {
    this.#rights = new Set();
    const error = amqpErrorOf(unauthorized("IotHubUnauthorized", "The token has expired"));
    for (const link of this.#authorizedLinks) link.close(error);
    this.#authorizedLinks.clear();
  }
}

/** Writes the outcomes decided so far. The library can do this, but does not declare it. */
function writeOutcomes(link: Receiver): void {
  const session = link.session as unknown as { incoming: { process(session: unknown): void } };
  session.incoming.process(session);
}

/** The token's text, without a look at the audience: this hub has but one name. */
function readToken(message: Message): string {
  const { operation, type } = (message.application_properties ?? {}) as Record<string, unknown>;
  if (operation !== "put-token") {
    throw new HubFault("InvalidOperation", 400, `The operation must be put-token, got ${JSON.stringify(operation)}`);
  }
  if (!TOKEN_TYPES.includes(String(type).toLowerCase())) {
    throw new HubFault("ArgumentInvalid", 400, `The token type must be one of ${TOKEN_TYPES.join(", ")}`);
  }
  if (typeof message.body !== "string") {
    throw new HubFault("ArgumentInvalid", 400, "The body of put-token must be the token, as a string value");
  }
  return message.body;
}

/** Addresses are compared without regard to case, and may begin with the hub's own URL. */
function pathOf(address: string): string {
  return address.toLowerCase().replace(/^amqps?:\/\/[^/]+/, "");
}

function accept(link: Receiver): void {
  link.set_target({ address: link.target.address });
  link.set_credit_window(CREDIT_WINDOW);
  link.add_credit(CREDIT_WINDOW);
}

function unknownAddress(address: string): HubFault {
  return new HubFault("AmqpAddressNotFound", 404, `The link address ${JSON.stringify(address)} is none of the hub's`);
}
