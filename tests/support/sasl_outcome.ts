import type { Socket } from "node:net";
import { type Bytes, described, frame, header, list, symbol } from "./amqp_bytes.ts";

/** The outcome of a SASL that has worked. */
export const SASL_OK = 0;
/** The outcome of one in which the client has not proved who it is. */
export const SASL_AUTH = 1;

/** The SASL mechanisms that the hub at a socket offers, and its answer to the choice of one. */
export async function saslOutcome(socket: Socket, mechanism: string, response: Bytes): Promise<[string, number]> {
  const init = described(0x41, list([symbol(mechanism), response]));
  socket.write(Uint8Array.from([...header(3), ...frame(init, { type: 1 })]));
  let received = Buffer.alloc(0);
  for await (const bytes of socket) {
    received = Buffer.concat([received, bytes]);
    // The descriptor, the head of a list of one ubyte, and that.
    const at = received.indexOf(Uint8Array.of(0x00, 0x53, 0x44, 0xd0)) + 13;
    if (at >= 13 && received.length > at) {
      return [received.toString("latin1").match(/[A-Z]{5,}/g)!.join(" "), received[at]!];
    }
  }
  throw new Error("The hub has closed the connection");
}
