/** What a peer did against the protocol, and the AMQP error that its connection is closed with. */
export class AmqpFault extends Error {
  readonly condition: string;

  constructor(condition: string, description: string) {
    super(description);
    this.condition = condition;
  }
}

/** The fault of bytes that are not the encoding of a value, or not of the right type. */
export function decodeFault(description: string): AmqpFault {
  return new AmqpFault("amqp:decode-error", description);
}

/** The fault of a peer that takes more than it is given. */
export function limitFault(description: string): AmqpFault {
  return new AmqpFault("amqp:resource-limit-exceeded", description);
}

/** The fault of a frame that may not come, or not now. */
export function notAllowed(description: string): AmqpFault {
  return new AmqpFault("amqp:not-allowed", description);
}
