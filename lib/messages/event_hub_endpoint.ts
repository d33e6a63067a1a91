import { hideSecrets } from "../errors/redaction.ts";

/** Where the events of a hub can be read with any client of Event Hubs. */
export interface EventHubEndpoint {
  /** The host, such as `iothub-ns-myhub-1234-abcdef.servicebus.windows.net`. That of a local hub has its port. */
  fullyQualifiedNamespace: string;
  /** The name of the event hub. */
  eventHubName: string;
  /**
   * A connection string with the client's policy and key. Readable, but hidden from `console.log`, `inspect` and
   * `JSON.stringify`.
   */
  connectionString?: string | undefined;
  /** The ids of the partitions. */
  partitionIds: string[];
}

/** The facts of which an endpoint is made. */
export interface EventHubFacts {
  readonly host: string;
  readonly eventHubName: string;
  readonly partitionIds: readonly string[];
  /** Whether its port takes connections without TLS only, as that of a local hub may. */
  readonly isPlain: boolean;
}

/** Describes an event hub, with a connection string for a policy. */
export function eventHubEndpoint(
  { host, eventHubName, partitionIds, isPlain }: EventHubFacts,
  { name, key }: { readonly name: string; readonly key: string },
): EventHubEndpoint {
  const connectionString =
    `Endpoint=sb://${host}/;EntityPath=${eventHubName};SharedAccessKeyName=${name};SharedAccessKey=${key}` +
    (isPlain ? ";UseDevelopmentEmulator=true" : "");
  const endpoint = { fullyQualifiedNamespace: host, eventHubName, connectionString, partitionIds: [...partitionIds] };
  return hideSecrets(endpoint, ["connectionString"]);
}
