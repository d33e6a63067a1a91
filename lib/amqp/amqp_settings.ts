import type { HubCredential } from "../auth/credential.ts";
import type { RetryOptions } from "../timing/retry_options.ts";

/** All that a connection to a hub's AMQP side needs to know. */
export interface AmqpSettings {
  /** The hub, as its AMQP name, even when another endpoint is connected to. */
  readonly hostName: string;
  /** Where to connect instead of the hub's own ports: `amqps://`, `amqp://`, `wss://` or `ws://`. */
  readonly endpoint?: string | (() => Promise<string>);
  /** TLS over TCP, or a WebSocket, where `endpoint` does not decide it; by default what the runtime can do, TCP first. */
  readonly transportType?: "Amqp" | "AmqpOverWebSocket";
  /** Certificate authorities to trust instead of the runtime's own. */
  readonly tls?: { readonly ca?: string | string[] };
  /** Names this software to the hub; empty to stay silent. */
  readonly userAgent: string;
  readonly credential: Pick<HubCredential, "audience" | "getToken">;
  /** How what failed for a passing reason is repeated. */
  readonly retryOptions: Required<RetryOptions>;
  /** How long an opening may take, and how long the hub may owe a verdict, before the connection is given up. */
  readonly attemptTimeoutInMs: number;
}
