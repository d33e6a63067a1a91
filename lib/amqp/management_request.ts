import { AmqpFailure } from "./amqp_failure.ts";
import { failureOfCondition } from "./conditions.ts";
import type { HubConnection } from "./hub_connection.ts";
import { beginSession } from "./hub_link.ts";
import type { EventContext, Message, Sender } from "./library.ts";

const ADDRESS = "$management";

/** What is asked about an event hub, as the properties of a message. */
export type ManagementRequest = Readonly<Record<string, string>>;

/**
 * Asks an event hub for the properties of itself or its partitions.
 *
 * @param connection The connection to it, which is ended when the answers do not come in time.
 * @param limitInMs How long the answers may take.
 * @returns The answers, in the order of the requests.
 * @throws {AmqpFailure} When the connection or a link is lost, or the event hub refuses.
 */
export function askEventHub(
  connection: HubConnection,
  requests: readonly ManagementRequest[],
  limitInMs: number,
): Promise<Readonly<Record<string, unknown>>[]> {
  return new Promise((resolve, reject) => {
    let isAsked = false;
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      connection.leave(user);
      action();
    };
    const user = {
      isBusy: true,
      ready(): void {
        if (isAsked || !connection.isReady) return;
        isAsked = true;
        ask(connection, requests, (answers) => settle(() => resolve(answers)), (error) => settle(() => reject(error)));
      },
      ended: (failure: AmqpFailure): void => settle(() => reject(failure)),
    };
    const timer = setTimeout(() => {
      const reason = `the event hub did not answer within ${limitInMs} ms`;
      settle(() => reject(new AmqpFailure(reason, { code: "Timeout", retryable: true })));
    }, limitInMs);
    connection.join(user);
    user.ready();
  });
}

function ask(
  connection: HubConnection,
  requests: readonly ManagementRequest[],
  done: (answers: Readonly<Record<string, unknown>>[]) => void,
  failed: (error: unknown) => void,
): void {
  const session = beginSession(connection, failed);
  const replyTo = crypto.randomUUID();
  const sender = session.open_sender({ target: { address: ADDRESS } });
  const receiver = session.open_receiver({
    source: { address: ADDRESS },
    target: { address: replyTo },
    credit_window: 0,
  });
  receiver.add_credit(requests.length);
  const answers: Readonly<Record<string, unknown>>[] = [];
  let missing = requests.length;
  receiver.on("message", ({ message }: EventContext) => {
    try {
      const index = Number(message?.correlation_id);
      if (!(index in requests) || index in answers) return;
      answers[index] = readAnswer(message!, connection);
      if (--missing > 0) return;
      session.close();
      done(answers);
    } catch (error) {
      session.close();
      failed(error);
    }
  });
  sender.once("sendable", () => sendAll(sender, requests, replyTo));
}

function sendAll(sender: Sender, requests: readonly ManagementRequest[], replyTo: string): void {
  for (const [index, request] of requests.entries()) {
    sender.send({ message_id: String(index), reply_to: replyTo, application_properties: request, body: [] });
  }
}

function readAnswer(
  { application_properties = {}, body }: Message,
  connection: HubConnection,
): Record<string, unknown> {
  const { "status-code": status, "status-description": description, "error-condition": condition } =
    application_properties;
  if (typeof status === "number" && status >= 200 && status < 300 && typeof body === "object" && body !== null) {
    return body as Record<string, unknown>;
  }
  const error = {
    ...(typeof condition === "string" && { condition }),
    ...(typeof description === "string" && { description }),
  };
  throw failureOfCondition(error, `the event hub answered with the status ${Number(status)}`, connection.secrets);
}
