import rhea from "rhea";
import type { EventContext, Message, Receiver, Sender } from "rhea";
import { cannotUse, describeType, quote } from "../../values/checks.ts";
import type { AmqpBackend } from "./backend.ts";
import { internalAmqpError } from "./conditions.ts";
import { type Guard, listen } from "./guard.ts";
import type { ClientGrant } from "../auth/grants.ts";
import { checkReplyProperties, ReplyLinks } from "./reply_links.ts";
import { HubFault } from "../hub_fault.ts";

const TOKEN_TYPES: readonly string[] = ["servicebus.windows.net:sastoken", "azure-devices.net:sastoken", "bearer"];

/** The token node `$cbs` of one connection: clients send tokens to it, and it replies whether each is valid. */
export class AmqpCbs {
  readonly #backend: AmqpBackend;
  readonly #onGrant: (grant: ClientGrant) => void;
  readonly #guard: Guard;
  readonly #replies: ReplyLinks = new ReplyLinks();

  constructor(backend: AmqpBackend, guard: Guard, onGrant: (grant: ClientGrant) => void) {
    this.#backend = backend;
    this.#guard = guard;
    this.#onGrant = onGrant;
  }

  /** Takes tokens from a link. */
  listenTo(link: Receiver): void {
    listen(link, this.#guard, { message: (context) => this.#putToken(context) });
  }

  /** Sends the replies on a link from now on. */
  replyTo(link: Sender): void {
    this.#replies.add(link);
  }

  async #putToken({ message, delivery }: EventContext): Promise<void> {
    delivery!.accept();
    if (this.#backend.faults.ignoresTokens) return;
    const [status, description] = await this.#verify(message!);
    this.#replies.send(message!, {
      application_properties: { "status-code": rhea.types.wrap_int(status), "status-description": description },
      body: null,
    });
  }

  async #verify(message: Message): Promise<[status: number, description: string]> {
    try {
      this.#onGrant(await this.#backend.verifyToken(readToken(message)));
      return [200, "OK"];
    } catch (error) {
      if (error instanceof HubFault) {
        this.#backend.activity.refuse("amqp", error);
        return [error.status, error.message];
      }
      const { description } = internalAmqpError("");
      return [500, `${description}. Tracking ID: ${this.#backend.report(error)}`];
    }
  }
}

/** Returns the token in a put-token request. The request's `name` is not needed: the token says what it is for. */
function readToken(message: Message): string {
  const { operation, type } = (message.application_properties ?? {}) as Record<string, unknown>;
  if (operation !== "put-token") {
    const got = typeof operation === "string" ? quote(operation) : describeType(operation);
    throw new HubFault("InvalidOperation", 400, cannotUse(`operation ${got}`, '"put-token"'));
  }
  checkReplyProperties(message);
  if (typeof type !== "string" || !TOKEN_TYPES.includes(type.toLowerCase())) {
    throw new HubFault("ArgumentInvalid", 400, cannotUse("the token type", `one of ${TOKEN_TYPES.join(", ")}`));
  }
  if (typeof message.body !== "string") {
    throw new HubFault("ArgumentInvalid", 400, cannotUse("the body of put-token", "the token as a string value"));
  }
  return message.body;
}
