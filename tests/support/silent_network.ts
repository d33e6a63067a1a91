import net, { Socket } from "node:net";
import tls from "node:tls";

/** A network in which no TCP connection comes about, and none is refused: there is a firewall that drops what is sent. */
export class SilentNetwork implements Disposable {
  /** Where somebody has tried to connect. */
  readonly attempts: { host: string; port: number }[] = [];
  #onAttempt: () => void = () => {};
  readonly #modules: readonly { connect: unknown }[] = [net, tls];
  readonly #originals: readonly unknown[] = this.#modules.map(({ connect }) => connect);

  constructor() {
    const connect = (port: number, host: string): Socket => {
      this.attempts.push({ host, port });
      this.#onAttempt();
      return new Socket();
    };
    for (const module of this.#modules) module.connect = connect;
  }

  /** Waits for the next attempt to connect. */
  attempted(): Promise<void> {
    return new Promise((resolve) => this.#onAttempt = resolve);
  }

  [Symbol.dispose](): void {
    for (const [index, module] of this.#modules.entries()) module.connect = this.#originals[index];
  }
}
