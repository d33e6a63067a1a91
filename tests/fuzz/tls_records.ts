import fc from "fast-check";
import { latin1 } from "./http_message.ts";

/** What comes to a port for TLS from a client that knows none, or knows it badly. */
export const TLS_RECORDS: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(
      fc.tuple(
        // change cipher spec, alert, handshake, application data, heartbeat, and what there is not
        fc.constantFrom(20, 21, 22, 22, 22, 23, 24, 0, 255),
        fc.constantFrom("\x03\x01", "\x03\x03", "\x03\x04", "\x00\x02", "\xff\xff"),
        fc.oneof(fc.constant(undefined), fc.constantFrom(0, 1, 16_384, 16_385, 65_535)),
        fc.tuple(fc.constantFrom(0, 1, 2, 11, 16, 20, 255), fc.constantFrom(undefined, 0, 0xffffff), bytes(200)),
      ),
      { minLength: 1, maxLength: 3 },
    ).map((records) => records.map(([type, version, size, message]) => record(type, version, size, message)).join("")),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "AMQP\0\x01\0\0", "\x80\x2e\x01\0\x02"),
  },
  { weight: 1, arbitrary: bytes(2_000) },
);

function bytes(maxLength: number): fc.Arbitrary<string> {
  return fc.uint8Array({ maxLength }).map(latin1);
}

/** A record with one message of the handshake, sizes of which may be told wrongly. */
function record(
  type: number,
  version: string,
  size: number | undefined,
  [code, length, content]: [number, number | undefined, string],
): string {
  const told = length ?? content.length;
  const message = String.fromCharCode(code, told >>> 16, told >>> 8 & 0xff, told & 0xff) + content;
  const all = size ?? message.length;
  return String.fromCharCode(type) + version + String.fromCharCode(all >>> 8, all & 0xff) + message;
}
