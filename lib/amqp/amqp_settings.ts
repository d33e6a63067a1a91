import type { HubCredential } from "../auth/credential.ts";
import type { NamedKeyCredential } from "../auth/token_credential.ts";
import type { NetworkOptions } from "../client/client_options.ts";
import type { Sight } from "../sight/sight.ts";
import type { ResolvedRetryOptions } from "../timing/retry_options.ts";

/** The settings of a connection to the AMQP side of a hub. */
export interface AmqpSettings {
  /** The hub's host name, also when the connection goes to another endpoint. */
  readonly hostName: string;
  /** Where to connect instead of the hub's own ports: `amqps://`, `amqp://`, `wss://` or `ws://`. */
  readonly endpoint?: string | (() => Promise<string>) | undefined;
  /** TLS over TCP or a WebSocket, unless `endpoint` decides it; by default TCP where the runtime has it. */
  readonly transportType?: "Amqp" | "AmqpOverWebSocket" | undefined;
  /** Certificate authorities to trust instead of the runtime's own. */
  readonly tls?: NetworkOptions["tls"];
  /** The URL of the proxy through which to connect. */
  readonly proxy?: string | undefined;
  /** The name of this software, which is sent to the hub; empty to send none. */
  readonly userAgent: string;
  /**
   * How to begin with SASL: by a name with the token as the password, or by none, with the token shown afterwards. Left
   * out, there is no SASL, and the token is shown afterwards as well.
   */
  readonly sasl?: { readonly user: string; readonly hasPassword: boolean } | undefined;
  /** The path of a WebSocket, where `endpoint` does not have it. */
  readonly webSocketPath?: string | undefined;
  /** The policy with its key, if the client has one: what reads events signs in with tokens of its own. */
  readonly policy?: NamedKeyCredential | undefined;
  readonly sasTokenTtlInSeconds?: number | undefined;
  readonly credential:
    & Pick<HubCredential, "audience" | "getToken" | "signedInAs">
    & Partial<Pick<HubCredential, "refused">>;
  /** Is told what becomes of connections and links, if anybody wants to know. */
  readonly sight?: Sight | undefined;
  /** How to retry what has failed for a transient reason. */
  readonly retryOptions: ResolvedRetryOptions;
  /** How long opening a connection, and the hub's verdict on a message, may take before the connection is given up. */
  readonly attemptTimeoutInMs: number;
}
