import { AmqpFailure } from "./amqp_failure.ts";

const SUBPROTOCOL = "AMQPWSB10";

/** What runtimes offer besides the standard `WebSocket`. */
interface Runtime {
  WebSocket?: new (url: string, options: unknown) => WebSocket;
  Deno?: { createHttpClient(options: { caCerts: string[] }): { close(): void } };
  Bun?: unknown;
}

/**
 * Opens a WebSocket for AMQP. Only Deno and Bun accept certificate authorities, since the standard has no such option.
 */
export function openWebSocket(url: string, ca: string | string[] | undefined, onClosed: () => void): WebSocket {
  const { WebSocket, Deno, Bun } = globalThis as Runtime;
  if (WebSocket === undefined) {
    throw unusable('this runtime has no WebSocket: use transportType "Amqp", or a newer runtime');
  }
  let options: unknown = [SUBPROTOCOL];
  let release = (): void => {};
  if (ca !== undefined && url.startsWith("wss:")) {
    if (Deno !== undefined) {
      const client = Deno.createHttpClient({ caCerts: [ca].flat() });
      options = { protocols: [SUBPROTOCOL], client };
      release = () => client.close();
    } else if (Bun !== undefined) {
      options = { protocols: [SUBPROTOCOL], tls: { ca } };
    } else {
      throw unusable(
        "amqpTls.ca cannot be given to this runtime's WebSocket: make the runtime itself trust the certificate " +
          '(NODE_EXTRA_CA_CERTS on Node), or use transportType "Amqp"',
      );
    }
  }
  const socket = new WebSocket(url, options);
  socket.addEventListener("close", () => {
    release();
    onClosed();
  });
  return socket;
}

function unusable(reason: string): AmqpFailure {
  return new AmqpFailure(reason, { code: "NetworkError", retryable: false });
}
