import type { ClientOptions, IoTHubRegistryManager } from "../../mod.ts";
import type * as http from "../../lib/http.ts";

/** What is to be checked: `mod.ts`, or `lib/http.ts`, or what a bundler or a package made of one. */
export type RegistryModule = typeof http;

/** The parts of the module that a runtime may have or lack as a whole. */
export type Area = "http" | "amqp" | "webSocket";

/** The hub to run against. It is empty, used by one run alone, and has the devices of `startConformanceHub`. */
export interface ConformanceTarget {
  /** The connection string of the policy `iothubowner`. */
  connectionString: string;
  /** The origin for HTTP. */
  endpoint: string;
  /** The address for messages over a TCP socket, such as `amqps://localhost:5671`; left out where there are none. */
  amqp?: string;
  /** The address for messages over a WebSocket, such as `wss://localhost/$iothub/websocket`; left out likewise. */
  webSocket?: string;
}

/** What a check is given. */
export interface CheckContext {
  readonly module: RegistryModule;
  readonly target: ConformanceTarget;
  /** A manager that all checks of an area share. */
  readonly registry: IoTHubRegistryManager;
  /** Another manager of the same hub, which the check has to close. */
  connect(options?: ClientOptions): IoTHubRegistryManager;
}

/** One thing that must hold on every runtime. */
export interface Check {
  readonly name: string;
  run(context: CheckContext): Promise<void>;
}
