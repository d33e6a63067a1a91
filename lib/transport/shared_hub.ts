import type { ClientOptions } from "../client/client_options.ts";
import type { HubAccess } from "../client/hub_access.ts";
import { HubTransport } from "./hub_transport.ts";
import type { Wire } from "./http_wire.ts";

/** Something that is opened for a hub in addition to the transport, and closed with it, such as its AMQP connection. */
export interface HubPart {
  close(): Promise<void>;
}

/** A hub with everything that is needed to reach it. A client shares it with all clients that are created from it. */
export class SharedHub {
  readonly access: HubAccess;
  readonly options: ClientOptions;
  readonly transport: HubTransport;
  readonly parts: Set<HubPart> = new Set();
  isClosed = false;

  /** `ownWire` returns a wire that is better than `fetch`, if the runtime has one. */
  constructor(access: HubAccess, options: ClientOptions, ownWire?: () => Wire | undefined) {
    this.access = access;
    this.options = { ...options };
    this.transport = new HubTransport(access, options, ownWire);
  }

  /** Ends all calls of all clients, and closes the connections. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.transport.close();
    await Promise.all(Array.from(this.parts, (part) => part.close()));
  }
}
