import rhea from "rhea";
import type { EventContext, Message, Receiver, Sender } from "rhea";
import type { AmqpBackend } from "./backend.ts";
import { amqpErrorOf } from "./conditions.ts";
import type { AmqpGrant } from "./grants.ts";
import { HubFault } from "../hub_fault.ts";

const TOKEN_TYPES: readonly string[] = ["servicebus.windows.net:sastoken", "azure-devices.net:sastoken", "bearer"];

/** The address `$cbs` of one connection: tokens come in, answers go out. */
export class AmqpCbs {
  readonly #backend: AmqpBackend;
  readonly #onGrant: (grant: AmqpGrant) => void;
  #replies: Sender | undefined;

  constructor(backend: AmqpBackend, onGrant: (grant: AmqpGrant) => void) {
    this.#backend = backend;
    this.#onGrant = onGrant;
  }

  /** The link on which a client sends its tokens. */
  listenTo(link: Receiver): void {
    link.on("message", (context: EventContext) => void this.#putToken(context));
  }

  /** The link on which a client wants the answers. */
  replyTo(link: Sender): void {
    this.#replies = link;
  }

  async #putToken({ message, delivery }: EventContext): Promise<void> {
    delivery!.accept();
    if (this.#backend.faults.ignoresTokens) return;
    try {
      this.#onGrant(await this.#backend.verifyToken(readToken(message!)));
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
}

/** The token's text. Whom it is for stands in the token itself. */
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
