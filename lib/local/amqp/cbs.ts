import rhea from "rhea";
import type { EventContext, Message, Receiver, Sender } from "rhea";
import { cannotUse } from "../../values/checks.ts";
import type { AmqpBackend } from "./backend.ts";
import { amqpErrorOf } from "./conditions.ts";
import type { AmqpGrant } from "./grants.ts";
import { HubFault } from "../hub_fault.ts";

const TOKEN_TYPES: readonly string[] = ["servicebus.windows.net:sastoken", "azure-devices.net:sastoken", "bearer"];

/** The token node `$cbs` of one connection: clients send tokens to it, and it replies whether each is valid. */
export class AmqpCbs {
  readonly #backend: AmqpBackend;
  readonly #onGrant: (grant: AmqpGrant) => void;
  #replies: Sender | undefined;

  constructor(backend: AmqpBackend, onGrant: (grant: AmqpGrant) => void) {
    this.#backend = backend;
    this.#onGrant = onGrant;
  }

  /** Takes tokens from a link. */
  listenTo(link: Receiver): void {
    link.on("message", (context: EventContext) => void this.#putToken(context));
  }

  /** Sends the replies on a link from now on. */
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

/** Returns the token in a put-token request. The request's `name` is not needed: the token says what it is for. */
function readToken(message: Message): string {
  const { operation, type } = (message.application_properties ?? {}) as Record<string, unknown>;
  if (operation !== "put-token") {
    throw new HubFault("InvalidOperation", 400, cannotUse(`operation ${JSON.stringify(operation)}`, '"put-token"'));
  }
  if (!TOKEN_TYPES.includes(String(type).toLowerCase())) {
    throw new HubFault("ArgumentInvalid", 400, cannotUse("the token type", `one of ${TOKEN_TYPES.join(", ")}`));
  }
  if (typeof message.body !== "string") {
    throw new HubFault("ArgumentInvalid", 400, cannotUse("the body of put-token", "the token as a string value"));
  }
  return message.body;
}
