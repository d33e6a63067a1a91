/** Where a connection of the AMQP library writes its frames. */
export interface FrameWriter {
  _write_frame(channel?: number, frame?: Performative, payload?: Uint8Array): void;
}

interface Performative {
  /** The fields, without the last ones that have no value. */
  readonly value: unknown[];
  // deno-lint-ignore ban-types -- each performative has a class of its own
  readonly constructor: Function & { readonly descriptor?: { readonly numeric: number } };
}

/** How many fields each performative has, by its code. */
const FIELD_COUNTS: ReadonlyMap<number | undefined, number> = new Map([
  [0x10, 10], // open
  [0x11, 8], // begin
  [0x12, 14], // attach
  [0x13, 11], // flow
  [0x14, 11], // transfer
  [0x15, 6], // disposition
  [0x16, 3], // detach
]);

/**
 * Makes a connection write all fields of its frames, those without a value as null. The library leaves out the last ones
 * if they have none, as it may, but Python's client of Event Hubs reads them by their places without looking whether they
 * are there.
 */
export function writeFullFrames(connection: FrameWriter): void {
  const write = connection._write_frame.bind(connection);
  connection._write_frame = (channel, frame, payload) => {
    if (frame !== undefined) {
      const count = FIELD_COUNTS.get(frame.constructor.descriptor?.numeric) ?? 0;
      while (frame.value.length < count) frame.value.push(null);
    }
    write(channel, frame, payload);
  };
}
