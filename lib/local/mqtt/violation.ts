/** A client has broken the protocol, or a limit of the hub. The hub closes its connection. */
export class MqttViolation extends Error {
  /** The code of the CONNACK that comes first; `undefined` when there is none. */
  readonly returnCode: number | undefined;

  constructor(message: string, returnCode?: number) {
    super(message);
    this.name = "MqttViolation";
    this.returnCode = returnCode;
  }
}
