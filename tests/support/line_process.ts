/** How much of what a process says is kept for the case that it fails. */
const MOST_KEPT = 10_000;

/** A process that answers lines with lines, and ends with its standard input. */
export class LineProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #output: ReadableStreamDefaultReader<string>;
  readonly #errors: Promise<string>;

  constructor(
    [executable, ...args]: readonly [string, ...string[]],
    options: { cwd: string; env?: Record<string, string> },
  ) {
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#child = new Deno.Command(executable, { args, ...options, ...pipes }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#errors = endOf(this.#child.stderr);
  }

  get pid(): number {
    return this.#child.pid;
  }

  async write(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(line + "\n"));
  }

  /** The next line, of JSON. */
  async read<T>(): Promise<T> {
    let line = "";
    while (!line.endsWith("\n")) {
      const { done, value } = await this.#output.read();
      if (done) throw new Error(`A process has ended by itself: ${await this.#errors}`);
      line += value;
    }
    return JSON.parse(line);
  }

  /** Ends it at once, whatever it does. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }
}

/** The last that comes from a stream. */
async function endOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
  let end = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) end = (end + text).slice(-MOST_KEPT);
  return end;
}
