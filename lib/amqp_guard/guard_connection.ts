import type { AmqpFault } from "./amqp_fault.ts";
import { FrameGuard, type GuardedStream } from "./frame_guard.ts";
import type { GuardLimits } from "./guard_limits.ts";

/** What the guard needs of the AMQP library's connection, some of which its types do not declare. */
export interface GuardedConnection {
  /** Takes bytes from the socket. */
  input(bytes: Uint8Array): void;
  /** Writes what is pending, and reports outcomes. */
  _process(): void;
  create_session(bufferSize?: unknown): { readonly local: { readonly begin: { handle_max: number } } };
  /** There if SASL is used. A hub has two transports to select from. */
  readonly sasl_transport?: SaslTransport & { readonly selected?: SaslTransport };
}

interface SaslTransport {
  readonly transport?: { readonly read_complete: boolean };
}

/** Whoever guards a connection. */
export interface ConnectionGuardUser extends Pick<GuardedStream, "concat"> {
  /** Told of the peer's fault. Called once, and the library gets nothing from the peer after it. */
  refuse(fault: AmqpFault): void;
  /** Told of an exception of the library or of a listener. */
  fail(error: unknown): void;
}

/**
 * Puts a guard between a connection of the AMQP library and its socket, of whatever kind that is. To be called before
 * the connection has a socket.
 *
 * @param connection The library's connection.
 * @param limits What the peer may do.
 * @param user Joins bytes, and is told of faults.
 * @returns Stops all input, for good.
 */
export function guardConnection(
  connection: GuardedConnection,
  limits: GuardLimits,
  user: ConnectionGuardUser,
): () => void {
  const input = connection.input.bind(connection);
  const process = connection._process.bind(connection);
  const createSession = connection.create_session.bind(connection);
  const guard = new FrameGuard(limits, {
    pass: input,
    concat: (chunks) => user.concat(chunks),
    refuse: (fault) => user.refuse(fault),
    hasSasl: () => connection.sasl_transport !== undefined,
    isSaslDone: () => {
      const { sasl_transport } = connection;
      return (sasl_transport?.selected ?? sasl_transport)?.transport?.read_complete ?? false;
    },
  });
  connection.input = (bytes) => {
    try {
      guard.feed(bytes);
    } catch (error) {
      user.fail(error);
    }
  };
  // The library calls this on its own, where nobody would catch what a listener for an outcome throws.
  connection._process = () => {
    try {
      process();
    } catch (error) {
      user.fail(error);
    }
  };
  connection.create_session = (bufferSize) => {
    const session = createSession(bufferSize);
    session.local.begin.handle_max = limits.handleMax;
    return session;
  };
  return () => guard.stop();
}
