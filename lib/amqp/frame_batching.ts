/** The part of a socket that the AMQP library uses to write. */
export interface FrameSocket {
  write(chunk: Uint8Array): unknown;
  end(): unknown;
}

/**
 * Makes a socket send all frames of one turn of the event loop together.
 *
 * The AMQP library writes each frame separately. With Nagle's algorithm off, each frame would cost a system call and a
 * TLS record, or a WebSocket message.
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
