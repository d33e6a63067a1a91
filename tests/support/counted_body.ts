/** A body in pieces, that counts how many of them somebody took. */
export class CountedBody {
  taken = 0;
  readonly stream: ReadableStream<Uint8Array>;

  constructor(text: string, pieces: number) {
    const bytes = new TextEncoder().encode(text);
    const size = Math.max(1, Math.ceil(bytes.length / pieces));
    this.stream = new ReadableStream({
      pull: (controller) => {
        const start = this.taken++ * size;
        if (start >= bytes.length) controller.close();
        else controller.enqueue(bytes.slice(start, start + size));
      },
    }, { highWaterMark: 0 });
  }
}
