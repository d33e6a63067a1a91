import type { Connection, ConnectionOptions, Container } from "rhea";
import { BackgroundTimer } from "../../timing/background_timer.ts";
import type { AmqpBackend } from "./backend.ts";
import type { AmqpError } from "./conditions.ts";
import type { FaultyConnection } from "./fault_state.ts";
import { type ByteSocket, GatedSocket } from "./gated_socket.ts";
import { AmqpIdleWatch } from "./idle_watch.ts";
import { AmqpPeer } from "./peer.ts";

/** Members of the library that its types do not declare. */
interface UndeclaredConnection {
  readonly local: { open: { idle_time_out: number | undefined } };
  accept(socket: GatedSocket): void;
  abort_socket(socket: GatedSocket): void;
}

/** The library sets a timer to twice the advertised time, which must not overflow setTimeout. */
const MAX_ADVERTISED_IN_MS = 2 ** 30;
/** How long a client may take to close after the hub has closed the connection. */
const CLOSING_LIMIT_IN_MS = 1000;

/** One client's connection: its socket, its idle time-out, and the peer that handles its links. */
export class AmqpServerConnection implements FaultyConnection {
  readonly #backend: AmqpBackend;
  readonly #connection: Connection & UndeclaredConnection;
  readonly #socket: GatedSocket;
  readonly #peer: AmqpPeer;
  readonly #idle: AmqpIdleWatch;
  readonly #closingTimer: BackgroundTimer = new BackgroundTimer();

  constructor(backend: AmqpBackend, container: Container, socket: ByteSocket) {
    this.#backend = backend;
    const { idleTimeoutInMs } = backend;
    this.#idle = new AmqpIdleWatch(idleTimeoutInMs, () => this.#onIdle());
    socket.on("data", () => this.#idle.touch());
    this.#socket = new GatedSocket(socket);
    this.#connection = container.create_connection(
      {
        reconnect: false,
        // This only advertises the limit: the library waits twice as long itself, so the idle watch is always first.
        ...(idleTimeoutInMs <= MAX_ADVERTISED_IN_MS && { idle_time_out: Math.ceil(idleTimeoutInMs) }),
        // The peer settles each message itself, and grants credit only to links that have the right.
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
    this.#idle.stop();
    this.#closingTimer.clear();
    this.#socket.mute();
    this.#peer.end();
    // The socket is closed through the library, so that it stops its timers. Without this setting it starts none again.
    this.#connection.local.open.idle_time_out = undefined;
    this.#connection.abort_socket(this.#socket);
  }

  hold(): void {
    this.#socket.hold();
  }

  release(): void {
    this.#socket.release();
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
      description: `The client was silent for ${this.#backend.idleTimeoutInMs} ms`,
    });
    this.#closingTimer.setAt(Date.now() + CLOSING_LIMIT_IN_MS, () => this.abort());
  }
}
