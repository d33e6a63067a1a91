import { connect } from "node:net";
import { within } from "./within.ts";

const MOST_PIECES = 500;

/** Writes bytes, as Latin-1, to a port; returns what comes first, unless it takes longer than there is patience. */
export async function exchange(port: number, text: string, pieces: number, patienceInMs: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let received = "";
  const closed = new Promise<void>((resolve) => socket.on("error", () => {}).on("close", () => resolve()));
  const answered = new Promise<void>((resolve) => {
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      received += chunk;
      resolve();
    });
  });
  const size = pieces === 0 ? text.length : Math.max(pieces, Math.ceil(text.length / MOST_PIECES));
  for (let at = 0; at < text.length; at += size) socket.write(text.slice(at, at + size), "latin1");
  await within(Promise.race([answered, closed]), patienceInMs, "No answer has come").catch(() => {});
  socket.destroy();
  await closed;
  return received;
}
