import type { HubToken } from "../auth/credential.ts";
import { secretsOfToken } from "../errors/redaction.ts";
import type { AmqpFailure } from "./amqp_failure.ts";
import { type AmqpCondition, failureOfClose, failureOfCondition, failureOfTokenReply } from "./conditions.ts";
import type { Connection, EventContext, Sender } from "./library.ts";

const ADDRESS = "$cbs";

interface PendingReply {
  resolve(): void;
  reject(failure: AmqpFailure): void;
}

/**
 * The links to the hub's claims-based security node. A token is sent there in a message, and the reply comes back in
 * another one. Both links are attached at the same time.
 */
export class CbsLink {
  readonly #sender: Sender;
  readonly #pending: Map<string, PendingReply> = new Map();
  #secrets: readonly string[] = [];

  constructor(connection: Connection) {
    this.#sender = connection.open_sender({ target: { address: ADDRESS } });
    const receiver = connection.open_receiver({ source: { address: ADDRESS }, credit_window: 10 });
    receiver.on("message", (context: EventContext) => this.#receive(context));
    this.#sender.on("rejected", ({ delivery }: EventContext) => {
      this.end(
        failureOfClose(delivery?.remote_state?.error, "the hub rejected the message with the token", this.#secrets, {
          isRefused: true,
        }),
      );
    });
    this.#sender.on("released", () => {
      this.end(failureOfCondition(undefined, "the hub did not accept the message with the token", this.#secrets));
    });
  }

  /**
   * Sends a token to the hub, and resolves when the hub has accepted it.
   *
   * The type of an Entra token is `Bearer`, as in Azure's own .NET and Java clients. The type of a shared access
   * signature is the one that all but one of Azure's clients send.
   */
  async putToken(audience: string, token: HubToken): Promise<void> {
    this.#secrets = secretsOfToken(token.authorization);
    const messageId = crypto.randomUUID();
    const message = {
      message_id: messageId,
      to: ADDRESS,
      reply_to: "cbs",
      application_properties: {
        operation: "put-token",
        type: token.authorization.startsWith("Bearer ") ? "Bearer" : "servicebus.windows.net:sastoken",
        name: audience,
      },
      body: token.authorization,
    };
    if (this.#sender.sendable()) this.#sender.send(message);
    else this.#sender.once("sendable", () => this.#sender.send(message));
    await new Promise<void>((resolve, reject) => this.#pending.set(messageId, { resolve, reject }));
  }

  /** The parts of the last token that must not be shown. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /** Rejects everything that still waits for a reply. */
  end(failure: AmqpFailure): void {
    for (const { reject } of this.#pending.values()) reject(failure);
    this.#pending.clear();
  }

  #receive({ message }: EventContext): void {
    const correlationId = String(message?.correlation_id);
    const reply = this.#pending.get(correlationId);
    if (reply === undefined) return;
    this.#pending.delete(correlationId);
    const properties = message?.application_properties ?? {};
    const status = properties["status-code"];
    if (status === 200 || status === 202) reply.resolve();
    else {reply.reject(
        failureOfTokenReply(
          typeof status === "number" ? status : undefined,
          properties["status-description"],
          this.#secrets,
        ),
      );}
  }
}

/** Returns the error condition of a closed link, session or connection, if it has one. */
export function conditionOf(error: unknown): AmqpCondition | undefined {
  return typeof error === "object" && error !== null ? error as AmqpCondition : undefined;
}
