import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** An address of this machine that no other test listens at, for clients whose ports are fixed. */
export function ownAddress(): string {
  return `127.${randomInt(64, 128)}.${randomInt(1, 255)}.${randomInt(1, 255)}`;
}

/** Why nobody can listen at a port of such an address; `false` when one can. */
export function refusalOfPort(port: number): Promise<string | false> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", ({ code }: NodeJS.ErrnoException) => {
      resolve(`the system refuses port ${port} at an address below 127.0.0.0/8 (${code})`);
    });
    server.listen(port, ownAddress(), () => server.close(() => resolve(false)));
  });
}
