import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { type HubAnswer, wholeBody } from "../hub_answer.ts";

/** Writes an answer to a socket on which no HTTP server does, and closes it. */
export async function answerBare(socket: Duplex, answer: HubAnswer): Promise<void> {
  const { status, headers } = answer;
  const fields = [...Object.entries(headers), ["connection", "close"]].map(([name, value]) => `${name}: ${value}\r\n`);
  const body = await wholeBody(answer);
  socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${fields.join("")}\r\n`);
  // A client that does not close its end must not hold up the closing of the hub.
  socket.end(body ?? "", () => socket.destroy());
}
