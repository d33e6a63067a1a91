/** The part of a socket that the AMQP library writes to. */
export interface FrameSocket {
  write(chunk: Uint8Array): unknown;
  end(): unknown;
}

/**
 * Makes a socket send the frames of one turn together.
 *
 * The AMQP library writes each frame by itself, and with Nagle's algorithm off each would be a system call and a TLS
 * record, or a WebSocket message, of its own.
 */
export function batchFrames(socket: FrameSocket, concat: (chunks: Uint8Array[]) => Uint8Array): void {
  const write = socket.write.bind(socket);
  const end = socket.end.bind(socket);
  let chunks: Uint8Array[] = [];

  function flush(): void {
    const pending = chunks;
    chunks = [];
    if (pending.length === 1) write(pending[0]!);
    else if (pending.length > 1) write(concat(pending));
  }
  socket.write = (chunk) => {
    if (chunks.push(chunk) === 1) queueMicrotask(flush);
  };
  socket.end = () => {
    flush();
    return end();
  };
}
