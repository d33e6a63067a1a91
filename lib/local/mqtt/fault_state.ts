import { FaultyConnections } from "../connections/faulty_connections.ts";

/** The faults that are switched on, and the connections that they affect. */
export class MqttFaultState {
  readonly connections: FaultyConnections = new FaultyConnections();
  readonly #refusals: number[] = [];
  #withheldAcknowledgements = 0;

  /** Refuses the next connections with a code. */
  planRefusals(returnCode: number, count: number): void {
    for (let i = 0; i < count; i++) this.#refusals.push(returnCode);
  }

  /** Takes the code with which the next connection is refused; `undefined` when it is not. */
  takeRefusal(): number | undefined {
    return this.#refusals.shift();
  }

  /** Withholds the acknowledgements of the next messages. */
  withhold(count: number): void {
    this.#withheldAcknowledgements += count;
  }

  /** Whether the next acknowledgement is withheld. */
  takeWithheld(): boolean {
    if (this.#withheldAcknowledgements === 0) return false;
    this.#withheldAcknowledgements--;
    return true;
  }
}
