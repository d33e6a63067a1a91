/** The part of a socket that is used to write. */
export interface FrameSocket {
  write(chunk: Uint8Array): unknown;
  end(): unknown;
}

/** What is written together at most, since hubs limit the size of a WebSocket message. */
const MAX_BATCH_BYTES = 262_144;

/**
 * Makes a socket send all frames of one turn of the event loop together.
 *
 * The AMQP library writes each frame separately. With Nagle's algorithm off, each frame would cost a system call and a
 * TLS record, or a WebSocket message.
 *
 * @returns Sends at once what there is.
 */
export function batchFrames(socket: FrameSocket, concat: (chunks: Uint8Array[]) => Uint8Array): () => void {
  const write = socket.write.bind(socket);
  const end = socket.end.bind(socket);
  let chunks: Uint8Array[] = [];
  let size = 0;

  function flush(): void {
    const pending = chunks;
    chunks = [];
    size = 0;
    if (pending.length === 1) write(pending[0]!);
    else if (pending.length > 1) write(concat(pending));
  }
  socket.write = (chunk) => {
    if (size + chunk.byteLength > MAX_BATCH_BYTES) flush();
    size += chunk.byteLength;
    if (chunks.push(chunk) === 1) queueMicrotask(flush);
  };
  socket.end = () => {
    flush();
    return end();
  };
  return flush;
}
