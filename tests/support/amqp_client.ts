import { AmqpConnection } from "../../lib/amqp/amqp_connection.ts";
import type { AmqpSettings } from "../../lib/amqp/amqp_settings.ts";
import { buildC2dMessage, type C2dMessageProperties } from "../../lib/messages/c2d_message.ts";
import type { CallOptions } from "../../lib/messages/message_connection.ts";

export const HOST_NAME = "myhub.azure-devices.net";
export const SAS = "SharedAccessSignature sr=myhub.azure-devices.net&sig=c2VjcmV0LXNpZ25hdHVyZQ%3D%3D&se=1893456000";

const HOUR_IN_MS = 3_600_000;

/** A credential that gives the same token for ever, and counts. */
export class FixedCredential {
  readonly audience: string;
  readonly calls: { operation: string; forceRefresh?: boolean }[] = [];
  readonly #authorization: string;
  readonly #lifeInMs: number;

  constructor(authorization: string = SAS, audience: string = HOST_NAME, lifeInMs: number = HOUR_IN_MS) {
    this.#authorization = authorization;
    this.audience = audience;
    this.#lifeInMs = lifeInMs;
  }

  getToken(
    options: { operation: string; forceRefresh?: boolean },
  ): Promise<{ authorization: string; expiresOn: number }> {
    this.calls.push(options);
    return Promise.resolve({ authorization: this.#authorization, expiresOn: Date.now() + this.#lifeInMs });
  }
}

/** What a test may say of a client's connection. */
interface ClientSettings extends Partial<Omit<AmqpSettings, "credential">> {
  credential?: Pick<AmqpSettings["credential"], "audience" | "getToken">;
}

/** A client of the AMQP side, as a manager uses it; it tries everything once, unless told otherwise. */
export class AmqpClient implements AsyncDisposable {
  readonly connection: AmqpConnection;

  constructor(endpoint: AmqpSettings["endpoint"], settings: ClientSettings = {}) {
    const { credential = new FixedCredential(), ...others } = settings;
    this.connection = new AmqpConnection({
      hostName: HOST_NAME,
      endpoint,
      userAgent: "test/1.0",
      credential: {
        audience: credential.audience,
        signedInAs: 'the policy "service"',
        getToken: (options) => credential.getToken(options),
      },
      retryOptions: { maxRetries: 0, retryDelayInMs: 0, maxRetryDelayInMs: 0 },
      attemptTimeoutInMs: 60_000,
      ...others,
    });
  }

  send(text: string, properties: C2dMessageProperties = {}, options: Partial<CallOptions> = {}): Promise<void> {
    return this.sendTo("d1", text, properties, options);
  }

  sendTo(
    deviceId: string,
    text: string,
    properties: C2dMessageProperties = {},
    options: Partial<CallOptions> = {},
  ): Promise<void> {
    return this.connection.send(buildC2dMessage(deviceId, text, properties), {
      operation: "sendC2dMessage",
      deviceId,
      timeoutInMs: 20_000,
      ...options,
    });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
