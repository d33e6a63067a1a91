import { MAX_KEPT_SESSIONS, MQTT_LIMITS } from "./hub_limits.ts";
import type { FilterKind } from "./topics.ts";

/** The return code for a topic filter that the hub does not take. */
const REFUSED = 0x80;

/** What a device has subscribed to, by the filter. */
interface Subscription {
  readonly kind: FilterKind;
  readonly qos: 0 | 1;
}

/** What outlives the connection of a client that asks for it. */
export class MqttSession {
  /** Tells an identity from an earlier one of the same name. */
  readonly generationId: string;
  /** The packet identifiers of messages that the device has not acknowledged, by their sequence numbers. */
  unacknowledged: ReadonlyMap<number, number> = new Map();
  readonly #subscriptions = new Map<string, Subscription>();

  constructor(generationId: string) {
    this.generationId = generationId;
  }

  /** Adds a subscription. Returns the code for the client: the QoS, which is 1 at most, or that it is refused. */
  subscribe(filter: string, kind: FilterKind | undefined, askedQos: number): number {
    const isFull = this.#subscriptions.size >= MQTT_LIMITS.maxSubscriptions && !this.#subscriptions.has(filter);
    if (kind === undefined || isFull) return REFUSED;
    const qos = askedQos === 0 ? 0 : 1;
    this.#subscriptions.set(filter, { kind, qos });
    return qos;
  }

  unsubscribe(filter: string): void {
    this.#subscriptions.delete(filter);
  }

  /** Returns the highest QoS with which the device wants something; `undefined` when it does not want it. */
  qosOf(...kinds: readonly FilterKind[]): 0 | 1 | undefined {
    let highest: 0 | 1 | undefined;
    for (const { kind, qos } of this.#subscriptions.values()) {
      if (kinds.includes(kind)) highest = qos === 1 ? 1 : highest ?? 0;
    }
    return highest;
  }
}

/** The sessions of all clients, by the keys of their identities. */
export class MqttSessions {
  readonly #kept = new Map<string, MqttSession>();

  /**
   * Begins a session, or goes on with the one that was kept.
   *
   * @param isClean Whether the client wants a new one that ends with its connection.
   */
  begin(key: string, generationId: string, isClean: boolean): { session: MqttSession; isPresent: boolean } {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    if (isClean) return { session: new MqttSession(generationId), isPresent: false };
    const isPresent = kept?.generationId === generationId;
    const session = isPresent ? kept! : new MqttSession(generationId);
    this.#kept.set(key, session);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT_SESSIONS) this.#kept.delete(oldest!);
    return { session, isPresent };
  }
}
