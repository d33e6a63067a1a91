/** What an attacker knows of a hub. */
export interface HubFacts {
  readonly amqpPort: number;
  readonly httpPort: number;
  readonly mqttPort: number;
  /** Ports for TLS: HTTPS, AMQPS and MQTTS. */
  readonly tlsPorts: readonly number[];
  /** Tokens by their kind. */
  readonly tokens: Readonly<Record<TokenKind, string>>;
}

/** A token by its kind, since each hub has other ones. */
export type TokenKind = "service" | "expired" | "garbage" | "event hub" | `device ${string}`;

/** The name of the hub's event hub, which has one partition. */
export const EVENT_HUB = "localhost";

/** The devices that messages are for. */
export const AMQP_DEVICES: readonly string[] = ["a0", "a1", "a2"];

/** The devices that requests are about; each has the module `m` and answers methods. */
export const REST_DEVICES: readonly string[] = ["r0", "r1"];

/** A request without a socket. */
export interface InProcessRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body?: string | undefined;
  /** Whether the body comes in pieces, and breaks off after some of them. */
  readonly streaming?: "whole" | "broken" | undefined;
}
