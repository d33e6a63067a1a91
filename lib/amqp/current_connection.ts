import type { AmqpFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { HubConnection } from "./hub_connection.ts";

/** A connection that is opened when it is first needed, shared by all its users, and replaced after a loss. */
export class CurrentConnection {
  readonly #settings: AmqpSettings;
  readonly #locate: (() => Promise<AmqpSettings>) | undefined;
  readonly #connections: Set<HubConnection> = new Set();
  #last: HubConnection | undefined;

  /** @param locate Finds out where to connect to, where that is not known before. */
  constructor(settings: AmqpSettings, locate?: () => Promise<AmqpSettings>) {
    this.#settings = settings;
    this.#locate = locate;
  }

  /** Returns the connection, or a new one where the last has ended. `operation` is the method that needs it. */
  get(operation: string): HubConnection {
    const last = this.#last;
    if (last !== undefined && last.failure === undefined) return last;
    // If the hub refused the token of the last connection, the next connection should bring a new one.
    const forceRefresh = last?.failure?.facts.statusCode === 401;
    const connection = new HubConnection(this.#settings, { operation, forceRefresh, locate: this.#locate });
    this.#last = connection;
    // An ended connection stays in the set until its socket is closed, so that close() waits for it.
    this.#connections.add(connection);
    void connection.closed.then(() => this.#connections.delete(connection));
    return connection;
  }

  /** Ends the connection, and resolves when all sockets are closed. */
  async close(failure: AmqpFailure): Promise<void> {
    const connections = [...this.#connections];
    for (const connection of connections) connection.end(failure);
    await Promise.all(connections.map(({ closed }) => closed));
  }
}
