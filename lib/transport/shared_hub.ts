import type { ClientOptions } from "../client/client_options.ts";
import type { HubAccess } from "../client/hub_access.ts";
import { type Caller, HubTransport } from "./hub_transport.ts";
import type { OwnWire } from "./http_wire.ts";

/** Something that is opened for a hub and closed with it: the transport, or a connection for messages. */
export interface HubPart {
  /** Ends every call of one client that is under way. */
  endCalls(client: Caller): void;
  close(): Promise<void> | void;
}

/** A hub with everything that is needed to reach it. A client shares it with all clients that are created from it. */
export class SharedHub {
  readonly access: HubAccess;
  readonly options: ClientOptions;
  readonly transport: HubTransport;
  readonly parts: Set<HubPart>;
  isClosed = false;

  /** `ownWire` returns a wire that is better than `fetch`, if the runtime has one. */
  constructor(access: HubAccess, options: ClientOptions, ownWire?: OwnWire) {
    this.access = access;
    this.options = { ...options };
    this.transport = new HubTransport(access, options, ownWire);
    this.parts = new Set([this.transport]);
  }

  /** Ends all calls of one client; the connections go on. */
  endCalls(client: Caller): void {
    for (const part of this.parts) part.endCalls(client);
  }

  /** Ends all calls of all clients, and closes the connections. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(Array.from(this.parts, (part) => part.close()));
  }
}
