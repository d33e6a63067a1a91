import { Buffer } from "node:buffer";
import type { Connection, ConnectionOptions, Container } from "rhea";
import type { LocalHubDisconnectReason } from "../activity/hub_event.ts";
import { BackgroundTimer } from "../../timing/background_timer.ts";
import type { AmqpFault } from "../../amqp_guard/amqp_fault.ts";
import { guardConnection, type GuardedConnection } from "../../amqp_guard/guard_connection.ts";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import type { AmqpBackend } from "./backend.ts";
import { type AmqpError, internalAmqpError } from "./conditions.ts";
import { type FrameWriter, writeFullFrames } from "./full_frames.ts";
import type { FaultyAmqpConnection } from "./fault_state.ts";
import { type ByteSocket, GatedSocket } from "../connections/gated_socket.ts";
import { guarded } from "../connections/guarded.ts";
import { IdleWatch } from "../connections/idle_watch.ts";
import { HUB_LIMITS, LEAST_IDLE_TIME_OUT_IN_MS, LONGEST_IDLE_TIME_OUT_IN_MS } from "./hub_limits.ts";
import { AmqpPeer } from "./peer.ts";
import { saslMechanisms } from "./sasl.ts";

/** Members of the library that its types do not declare. */
interface UndeclaredConnection extends GuardedConnection {
  readonly local: { open: { idle_time_out: number | undefined } };
  readonly remote: { open: { idle_time_out: number | undefined } };
  accept(socket: GatedSocket): void;
  abort_socket(socket: GatedSocket): void;
}

/** The library sets a timer to twice the advertised time, which must not overflow setTimeout. */
const MAX_ADVERTISED_IN_MS = 2 ** 30;
/** How long a client may take to close after the hub has closed the connection. */
const CLOSING_LIMIT_IN_MS = 1000;

/** One client's connection: its socket, its idle time-out, and the peer that handles its links. */
export class AmqpServerConnection implements FaultyAmqpConnection {
  readonly #backend: AmqpBackend;
  readonly #connection: Connection & UndeclaredConnection;
  readonly #socket: GatedSocket;
  readonly #peer: AmqpPeer;
  readonly #idle: IdleWatch;
  #isEnding = false;
  readonly #stopInput: () => void;
  readonly #closingTimer: BackgroundTimer = new BackgroundTimer();
  #hasFailed = false;

  constructor(backend: AmqpBackend, container: Container, socket: ByteSocket, certificate?: ClientCertificate) {
    this.#backend = backend;
    const { idleTimeoutInMs } = backend;
    this.#idle = new IdleWatch(idleTimeoutInMs, () => this.guard(() => this.#onIdle()));
    socket.on("data", () => this.#idle.touch());
    this.#socket = new GatedSocket(socket);
    this.#connection = container.create_connection(
      {
        reconnect: false,
        max_frame_size: HUB_LIMITS.maxFrameSize,
        channel_max: HUB_LIMITS.channelMax,
        // This only advertises the limit: the library waits twice as long itself, so the idle watch is always first.
        ...(idleTimeoutInMs <= MAX_ADVERTISED_IN_MS && { idle_time_out: Math.ceil(idleTimeoutInMs) }),
        // The peer settles each message itself, and grants credit only to links that have the right.
        receiver_options: { autoaccept: false, credit_window: 0, max_message_size: HUB_LIMITS.maxMessageSize },
        sender_options: { treat_modified_as_released: false },
      } as unknown as ConnectionOptions,
    ) as Connection & UndeclaredConnection;
    writeFullFrames(this.#connection as unknown as FrameWriter);
    this.#stopInput = guardConnection(this.#connection, HUB_LIMITS, {
      concat: (chunks) => Buffer.concat(chunks),
      refuse: (fault) => this.#refuse(fault),
      fail: (error) => this.#fail(error),
    });
    // The library reports so what it could not read.
    for (const event of ["error", "protocol_error"]) {
      this.#connection.on(event, () => this.#end(UNREADABLE));
    }
    this.#connection.on("connection_open", () => boundIdleTimeOut(this.#connection.remote.open));
    this.#peer = new AmqpPeer(backend, this.#connection, (work) => this.guard(work), {
      certificate,
      port: socket.localPort,
      end: (reason) => this.#end(reason),
    });
    backend.faults.connections.add(this);
    // The library asks the container for them as it takes the socket.
    container.sasl_server_mechanisms = saslMechanisms({
      hasCertificate: certificate !== undefined,
      verify: (user, token) => backend.verifyUser(user, token),
      signedIn: (grant) => this.#peer.signedIn(grant),
      refused: (fault) => {
        if (fault !== undefined) backend.activity.refuse("amqp", fault);
        this.#abortSoon();
      },
      report: (error) => backend.report(error),
    });
    this.#connection.accept(this.#socket);
  }

  /** Does some work for this connection. What it throws is reported and ends the connection, not the process. */
  guard(work: () => unknown): void {
    guarded(work, (error) => this.#fail(error));
  }

  abort(reason: LocalHubDisconnectReason = "forced"): void {
    this.#backend.faults.connections.delete(this);
    this.#idle.stop();
    this.#closingTimer.clear();
    this.#socket.mute();
    this.#peer.end(reason);
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
    this.#peer.end("forced");
    this.#connection.close({
      condition: "amqp:connection:forced",
      description: `The client was silent for ${this.#backend.idleTimeoutInMs} ms`,
    });
    this.#abortSoon();
  }

  /** Closes the connection of a client that has broken the protocol, which the library has not seen. */
  #refuse({ condition, message }: AmqpFault): void {
    this.#end({ condition, description: message });
  }

  /** Closes the connection without waiting for the client, whose answer would not be read. */
  #end(error: AmqpError): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#stopInput();
    this.#abortSoon();
    this.#peer.end("forced");
    // The hub's open has to come before its close, also where the client has not got as far as its own.
    this.#connection.open();
    this.#connection.close(error);
    this.#connection._process();
    this.#socket.end();
  }

  #fail(error: unknown): void {
    const trackingId = this.#backend.report(error);
    const isFirst = !this.#hasFailed;
    this.#hasFailed = true;
    try {
      if (isFirst) this.#end(internalAmqpError(trackingId));
      else this.abort();
    } catch (second) {
      this.#backend.report(second);
      this.#socket.destroy();
    }
  }

  #abortSoon(): void {
    this.#closingTimer.setAt(Date.now() + CLOSING_LIMIT_IN_MS, () => this.guard(() => this.abort()));
  }
}

const UNREADABLE: AmqpError = {
  condition: "amqp:decode-error",
  description: "The hub cannot read what the client has sent",
};

/** Keeps the library from writing heartbeats as often as a client likes, or all the time because its timer overflows. */
function boundIdleTimeOut(open: { idle_time_out: number | undefined }): void {
  const asked = open.idle_time_out ?? 0;
  if (asked === 0) return;
  open.idle_time_out = Math.min(Math.max(asked, LEAST_IDLE_TIME_OUT_IN_MS), LONGEST_IDLE_TIME_OUT_IN_MS);
}
