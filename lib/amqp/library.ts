import rhea from "rhea";
import type { GuardedConnection } from "../amqp_guard/guard_connection.ts";
import type { AmqpCondition } from "./conditions.ts";

/**
 * What is used of the AMQP library. Its own types need those of Node, which users of browser types do not have, and they
 * leave out members that are used here.
 */
interface Library {
  create_container(): { create_connection(options: object): Connection };
  websocket_connect(opener: unknown): (url: string, protocols: readonly string[], options: undefined) => unknown;
  string_to_uuid(text: string): Uint8Array;
  readonly types: { wrap_described(value: string, descriptor: number): unknown };
}

/** An object of the library that tells its listeners what happens to it. */
interface Emitter {
  on(event: string, listener: (context: EventContext) => void): unknown;
  once(event: string, listener: (context: EventContext) => void): unknown;
}

/** What an event is about. */
export interface EventContext {
  readonly connection: Connection;
  readonly session?: Session;
  readonly sender?: Sender;
  readonly receiver?: Receiver;
  readonly delivery?: Delivery;
  /** The message; its bytes, where its format is none that the library decodes. */
  readonly message?: Message;
  readonly error?: unknown;
}

/** A connection, which has a socket once it connects. */
export interface Connection extends Emitter, GuardedConnection {
  readonly error?: unknown;
  readonly socket: Socket;
  readonly socket_ready: boolean;
  /** What this side has announced. */
  readonly local: { readonly open: Opening };
  /** What the other side has announced, if it has. */
  readonly remote: { readonly open?: Opening };
  connect(): void;
  close(error?: { condition: string; description: string }): void;
  abort_socket(socket: Socket): void;
  create_session(bufferSize?: unknown): Session;
  open_sender(options: object): Sender;
  open_receiver(options: object): Receiver;
  /** Called without a frame, it writes an empty one as a heartbeat. */
  _write_frame(): void;
}

interface Opening {
  idle_time_out?: number;
}

/** A socket: Node's own, or what the library makes of a WebSocket, which neither keeps a process alive nor lets it end. */
interface Socket {
  write(chunk: Uint8Array): unknown;
  end(): unknown;
  on(event: string, listener: () => void): unknown;
  once(event: string, listener: () => void): unknown;
  ref(): unknown;
  unref(): unknown;
}

/** A session, which holds links. */
export interface Session extends Emitter {
  readonly error?: unknown;
  readonly local: { readonly begin: { handle_max: number } };
  begin(): void;
  /** Whether the hub has agreed to it. */
  is_remote_open(): boolean;
  close(): void;
  open_sender(options: object): Sender;
  open_receiver(options: object): Receiver;
  /** Called with each frame that carries a message, or a part of one. */
  on_transfer(frame: { readonly performative: { message_format?: unknown } }): void;
}

/** A link in either direction. */
interface Link extends Emitter {
  readonly error?: unknown;
  readonly session: Session;
  readonly source?: { readonly address?: string };
  readonly target?: { readonly address?: string };
  /** How many more messages the receiving side wants. */
  readonly credit: number;
  /** How many messages have been sent on it. */
  readonly delivery_count: number;
  is_open(): boolean;
  close(): void;
}

/** A link on which messages are sent. */
export interface Sender extends Link {
  sendable(): boolean;
  /** Sends a message; with a tag and a format, one that is encoded already. */
  send(message: object, tag?: Uint8Array, format?: number): Delivery;
}

/** A link on which messages come. */
export interface Receiver extends Link {
  add_credit(count: number): void;
}

/** A message on its way. */
export interface Delivery {
  readonly id: number;
  /** The format that the message began with: 0 for one that the library decodes. */
  readonly format?: unknown;
  readonly remote_settled: boolean;
  /** Whether this side has nothing more to say of it. */
  settled: boolean;
  /** The other side's verdict. */
  readonly remote_state?: { readonly error?: AmqpCondition };
  update(isSettled: boolean): void;
  accept(): void;
  release(): void;
}

/** A message that has come. */
export interface Message {
  readonly body?: unknown;
  readonly message_id?: unknown;
  readonly correlation_id?: unknown;
  readonly user_id?: unknown;
  readonly to?: unknown;
  readonly content_type?: unknown;
  readonly content_encoding?: unknown;
  readonly absolute_expiry_time?: unknown;
  readonly creation_time?: unknown;
  readonly message_annotations?: Readonly<Record<string, unknown>>;
  readonly application_properties?: Readonly<Record<string, unknown>>;
}

/** The AMQP library. */
export const library: Library = rhea as unknown as Library;
