import type { Connection, ConnectionOptions, Container } from "rhea";
import { BackgroundTimer } from "../../timing/background_timer.ts";
import type { AmqpBackend } from "./backend.ts";
import type { AmqpError } from "./conditions.ts";
import type { FaultyConnection } from "./fault_state.ts";
import { type ByteSocket, GatedSocket } from "./gated_socket.ts";
import { AmqpIdleWatch } from "./idle_watch.ts";
import { AmqpPeer } from "./peer.ts";

/** What the library can do, but does not declare. */
interface UndeclaredConnection {
  readonly local: { open: { idle_time_out: number | undefined } };
  accept(socket: GatedSocket): void;
  abort_socket(socket: GatedSocket): void;
}

/** The library sets a timer to the double of what is advertised, which setTimeout must be able to count. */
const MAX_ADVERTISED_IN_MS = 2 ** 30;
/** How long a client that was told to go may take for it. */
const FAREWELL_IN_MS = 1000;

/** A client's connection from the first byte to the last: its socket, its end by idleness, and its peer. */
export class AmqpServerConnection implements FaultyConnection {
  readonly #backend: AmqpBackend;
  readonly #connection: Connection & UndeclaredConnection;
  readonly #socket: GatedSocket;
  readonly #peer: AmqpPeer;
  readonly #idle: AmqpIdleWatch;
  readonly #farewell: BackgroundTimer = new BackgroundTimer();

  constructor(backend: AmqpBackend, container: Container, socket: ByteSocket) {
    this.#backend = backend;
    const { idleTimeoutInMs } = backend;
    this.#idle = new AmqpIdleWatch(idleTimeoutInMs, () => this.#onIdle());
    socket.on("data", () => this.#idle.touch());
    this.#socket = new GatedSocket(socket);
    this.#connection = container.create_connection(
      {
        reconnect: false,
        // The library itself would wait twice as long: its time never comes.
        ...(idleTimeoutInMs <= MAX_ADVERTISED_IN_MS && { idle_time_out: Math.ceil(idleTimeoutInMs) }),
        // What becomes of a message is said one by one, and credit is granted once a link is known to be allowed.
        receiver_options: { autoaccept: false, credit_window: 0 },
        sender_options: { treat_modified_as_released: false },
      } as unknown as ConnectionOptions,
    ) as Connection & UndeclaredConnection;
    this.#peer = new AmqpPeer(backend, this.#connection);
    backend.faults.connections.add(this);
    if (backend.faults.isStalled) this.hold();
    this.#connection.accept(this.#socket);
  }

  abort(): void {
    this.#backend.faults.connections.delete(this);
    this.#idle.end();
    this.#farewell.clear();
    this.#socket.mute();
    this.#peer.end();
    // Through the library, which stops its timers so; without the setting it cannot start one again.
    this.#connection.local.open.idle_time_out = undefined;
    this.#connection.abort_socket(this.#socket);
  }

  hold(): void {
    this.#socket.hold();
  }

  letGo(): void {
    this.#socket.letGo();
  }

  detach(error: AmqpError): void {
    this.#peer.detach(error);
  }

  expire(): void {
    this.#peer.expire();
  }

  grantCredit(): void {
    this.#peer.grantCredit();
  }

  #onIdle(): void {
    this.#peer.end();
    this.#connection.close({
      condition: "amqp:connection:forced",
      description: `Nothing came from the client for ${this.#backend.idleTimeoutInMs} milliseconds`,
    });
    this.#farewell.setAt(Date.now() + FAREWELL_IN_MS, () => this.abort());
  }
}
