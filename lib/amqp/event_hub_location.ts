import { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { conditionOf } from "./cbs_link.ts";
import { failureOfClose } from "./conditions.ts";
import type { HubConnection } from "./hub_connection.ts";
import type { EventContext } from "./library.ts";

/** Where the event hub of a hub is. */
export interface EventHubLocation {
  /** The host, with its port if that is not the usual one. */
  readonly host: string;
  readonly eventHubName: string;
}

const HOST = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,253}[A-Za-z0-9])?(?::\d{1,5})?$/;
const ADDRESS = /^amqps?:\/\/[^/]+\/([\w.-]{1,260})(?:\/|$)/i;

/** The settings of a connection to ask by, with which the policy signs in as all known clients sign in for this. */
export function settingsOfLookUp(settings: AmqpSettings): AmqpSettings {
  const { policy, hostName } = settings;
  const [hubName] = hostName.split(".", 1);
  return { ...settings, sasl: { user: `${policy?.name}@sas.root.${hubName}`, hasPassword: true } };
}

/**
 * Asks a hub where its event hub is. A hub tells whoever wants to receive from it, by the error with which it refuses the
 * link.
 *
 * @param connection A connection to the hub, which is closed afterwards.
 * @throws {AmqpFailure} When the hub cannot be reached, or does not tell.
 */
export async function locateEventHub(connection: HubConnection, settings: AmqpSettings): Promise<EventHubLocation> {
  const { hostName, attemptTimeoutInMs } = settings;
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise((resolve, reject) => {
      connection.join({
        isBusy: true,
        ready() {
          timer = setTimeout(
            () => reject(noRedirect(`said nothing within ${attemptTimeoutInMs} ms`)),
            attemptTimeoutInMs,
          );
          const link = connection.connection.open_receiver({
            source: { address: `amqps://${hostName}/messages/events/$management` },
            credit_window: 0,
          });
          const onClose = ({ receiver }: EventContext): void => {
            try {
              resolve(readRedirect(receiver?.error, connection));
            } catch (error) {
              reject(error);
            }
          };
          link.on("receiver_error", onClose);
          link.on("receiver_close", onClose);
        },
        ended: reject,
      });
    });
  } finally {
    clearTimeout(timer);
    connection.end(new AmqpFailure("the connection is not needed any more", { code: "Closed", retryable: false }));
  }
}

function readRedirect(error: unknown, connection: HubConnection): EventHubLocation {
  const condition = conditionOf(error);
  if (condition?.condition !== "amqp:link:redirect") {
    const subject = "the hub does not say where its events are";
    throw failureOfClose(condition, subject, connection.secrets, { isRefused: true });
  }
  const { hostname, address } = (condition.info ?? {}) as { hostname?: unknown; address?: unknown };
  const [, eventHubName] = ADDRESS.exec(String(address)) ?? [];
  if (typeof hostname !== "string" || !HOST.test(hostname) || eventHubName === undefined) {
    throw noRedirect("named no host, or no event hub");
  }
  return { host: hostname, eventHubName };
}

function noRedirect(what: string): AmqpFailure {
  return new AmqpFailure(`the hub was asked where its events are, and ${what}`, {
    code: "InvalidResponse",
    retryable: true,
  });
}
