import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { IoTHubRegistryManager as HttpRegistryManager } from "../../lib/http.ts";
import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";

export const CONNECTION_STRING: string = `HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=${
  btoa("0123456789abcdef")
}`;

/** The ways to a hub: what a runtime has of its own, a fetch that was given, and the entry for HTTP. */
export const WAYS: readonly [string, (options: ClientOptions) => HttpRegistryManager][] = [
  ["the runtime's own means", (options) => IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, options)],
  [
    "a given fetch",
    (options) => {
      const given: ClientOptions = { fetch: (url, init) => fetch(url, init), ...options };
      return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, given);
    },
  ],
  ["the entry ./http", (options) => HttpRegistryManager.fromConnectionString(CONNECTION_STRING, options)],
];

/** An HTTP server on the loopback interface whose answer can be changed at any time. */
export class AnswerServer {
  /** How many requests have come. */
  requests = 0;
  answer: (response: ServerResponse, request: IncomingMessage) => void = (response) => void response.end("{}");
  readonly #server = createServer((request, response) => {
    this.requests++;
    this.answer(response, request);
  });

  static async listen(): Promise<AnswerServer> {
    const server = new AnswerServer();
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
