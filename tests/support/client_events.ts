import type { ClientEvent } from "../../mod.ts";

/** Keeps the events of a client, for tests that look at them or wait for them. */
export class ClientEvents {
  readonly all: ClientEvent[] = [];
  #onEvent: (() => void)[] = [];

  /** Not a method: it is handed over without its object. */
  readonly listen = (event: ClientEvent): void => {
    this.all.push(event);
    for (const resume of this.#onEvent.splice(0)) resume();
  };

  /** The kinds of the events so far, in order. */
  get kinds(): string[] {
    return this.all.map(({ kind }) => kind);
  }

  /** The events of one kind. */
  of<Kind extends ClientEvent["kind"]>(kind: Kind): (ClientEvent & { kind: Kind })[] {
    return this.all.filter((event): event is ClientEvent & { kind: Kind } => event.kind === kind);
  }

  /** The first event of a kind. */
  first<Kind extends ClientEvent["kind"]>(kind: Kind): ClientEvent & { kind: Kind } {
    const [event] = this.of(kind);
    if (event === undefined) throw new Error(`No ${kind} among ${this.kinds}`);
    return event;
  }

  /** Waits until there are so many events of a kind. */
  async until(kind: ClientEvent["kind"], times: number = 1): Promise<void> {
    while (this.of(kind).length < times) await new Promise<void>((resolve) => this.#onEvent.push(resolve));
  }
}
