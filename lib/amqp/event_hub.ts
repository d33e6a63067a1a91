import { credentialFromPolicy, type HubCredential } from "../auth/credential.ts";
import { importTextKey } from "../auth/text_key.ts";
import { failure } from "../errors/failures.ts";
import type { CallOptions, EventReaderOptions } from "../messages/message_connection.ts";
import type { NamedKeyCredential } from "../auth/token_credential.ts";
import { type EventHubEndpoint, eventHubEndpoint } from "../messages/event_hub_endpoint.ts";
import type { EventPosition } from "../messages/event_position.ts";
import { Deadline, throwIfAborted } from "../timing/deadline.ts";
import { backOff } from "../timing/retry.ts";
import { resolveEndpoint } from "./amqp_endpoint.ts";
import { AmqpFailure, toFailure } from "./amqp_failure.ts";
import type { AmqpSettings } from "./amqp_settings.ts";
import { CurrentConnection } from "./current_connection.ts";
import { type EventHubLocation, locateEventHub, settingsOfLookUp } from "./event_hub_location.ts";
import { EventReader, type PartitionStart } from "./event_reader.ts";
import type { HubConnection } from "./hub_connection.ts";
import { askEventHub, type ManagementRequest } from "./management_request.ts";

const WEB_SOCKET_PATH = "/$servicebus/websocket";
const EVENT_HUB = "com.microsoft:eventhub";
const PARTITION = "com.microsoft:partition";

/** The event hub that a hub has for what devices send. It is found by asking the hub. */
export class EventHub {
  readonly #settings: AmqpSettings;
  readonly #connections: CurrentConnection;
  /** That to the hub, while it is asked where the event hub is. */
  readonly #hub: CurrentConnection;
  readonly #readers: Set<EventReader> = new Set();
  #location: Promise<EventHubLocation> | undefined;
  #isAsking = false;
  #found: EventHubLocation | undefined;
  #credential: HubCredential | undefined;

  constructor(settings: AmqpSettings) {
    this.#settings = settings;
    this.#connections = new CurrentConnection(settings, () => this.#locate());
    this.#hub = new CurrentConnection(settingsOfLookUp(settings));
  }

  /** Finds out where the event hub is, and what partitions it has. */
  async describe(call: CallOptions, policy: NamedKeyCredential): Promise<EventHubEndpoint> {
    const partitionIds = await this.#partitionIds(call);
    const { host, eventHubName } = this.#found!;
    const endpoint = await resolveEndpoint(this.#settings);
    const isPlain = endpoint.kind === "tcp" && !endpoint.tls;
    return eventHubEndpoint({ host, eventHubName, partitionIds, isPlain }, policy);
  }

  /** Opens a reader. The caller must close it. */
  async openReader(options: EventReaderOptions): Promise<EventReader> {
    const starts = await this.#starts(options);
    throwIfAborted(options.abortSignal);
    const parts = {
      settings: this.#settings,
      connectionSource: (operation: string) => this.#connection(operation),
      eventHubName: () => this.#found!.eventHubName,
    };
    const reader = new EventReader(parts, options, starts);
    this.#readers.add(reader);
    void reader.closed.then(() => this.#readers.delete(reader));
    return reader;
  }

  /** Fails the readers, and closes the connection. */
  async close(failure: AmqpFailure): Promise<void> {
    for (const reader of this.#readers) reader.end(failure);
    await Promise.all([this.#connections.close(failure), this.#hub.close(failure)]);
  }

  #connection(operation: string): HubConnection {
    const connection = this.#connections.get(operation);
    void connection.closed.then(() => {
      // The event hub may be somewhere else by now. A hub that is still being asked is not asked twice at a time.
      if (!connection.isReady && !this.#isAsking) this.#location = undefined;
    });
    return connection;
  }

  async #askHub(): Promise<EventHubLocation> {
    this.#isAsking = true;
    try {
      return await locateEventHub(this.#hub.get("receiveEvents"), this.#settings);
    } catch (error) {
      this.#location = undefined;
      throw error;
    } finally {
      this.#isAsking = false;
    }
  }

  /** The settings of a connection to the event hub. */
  async #locate(): Promise<AmqpSettings> {
    this.#location ??= this.#askHub();
    const found = await this.#location;
    const { policy, sasTokenTtlInSeconds, sight } = this.#settings;
    const audience = `sb://${found.host}/${found.eventHubName}`;
    this.#found = found;
    if (this.#credential?.audience !== audience) {
      this.#credential = credentialFromPolicy(audience, policy!, sasTokenTtlInSeconds, importTextKey);
      this.#credential.sight = sight;
    }
    return {
      ...this.#settings,
      hostName: found.host,
      webSocketPath: WEB_SOCKET_PATH,
      credential: this.#credential,
      sasl: { user: policy!.name, hasPassword: false },
    };
  }

  async #partitionIds(call: CallOptions): Promise<string[]> {
    const [{ partition_ids } = {}] = await this.#ask(call, (name) => [{ operation: "READ", type: EVENT_HUB, name }]);
    if (Array.isArray(partition_ids) && partition_ids.length > 0) return partition_ids.map(String);
    throw failure(call, "InvalidResponse", "the event hub names no partitions");
  }

  /** Where each partition begins. The next event of each is the one after the last that there is now. */
  async #starts(options: EventReaderOptions): Promise<PartitionStart[]> {
    const { from } = options;
    const named = typeof from === "object" && !(from instanceof Date) ? from : undefined;
    const ids = options.partitionIds ?? (named && Object.keys(named)) ?? await this.#partitionIds(options);
    if (named !== undefined) return ids.map((partitionId) => ({ partitionId, after: named[partitionId] }));
    if (from !== "latest") {
      const after = from instanceof Date ? { enqueuedTimeUtc: new Date(from.getTime() - 1) } : undefined;
      return ids.map((partitionId) => ({ partitionId, after }));
    }
    const answers = await this.#ask(
      options,
      (name) => ids.map((partition) => ({ operation: "READ", type: PARTITION, name, partition })),
    );
    return ids.map((partitionId, index) => ({ partitionId, after: lastOf(answers[index]!, options) }));
  }

  /** Asks the event hub, again and again while it is out of reach for a reason that may pass. */
  async #ask(
    call: CallOptions,
    requests: (eventHubName: string) => ManagementRequest[],
  ): Promise<Readonly<Record<string, unknown>>[]> {
    const { retryOptions, attemptTimeoutInMs } = this.#settings;
    const deadline = new Deadline(performance.now() + call.timeoutInMs, call.abortSignal);
    deadline.setOwnTimer();
    let last: AmqpFailure | undefined;
    try {
      for (let failures = 0;; failures++) {
        const connection = this.#connection(call.operation);
        try {
          await deadline.race(whenReady(connection));
          call.watched?.sent({});
          const asking = askEventHub(connection, requests(this.#found!.eventHubName), attemptTimeoutInMs);
          const answers = await deadline.race(asking);
          call.watched?.answered({});
          return answers;
        } catch (error) {
          if (!(error instanceof AmqpFailure)) throw error;
          if (!connection.mayPass(error) || retryOptions.maxRetries === 0) throw error;
          last = error;
        }
        const waitInMs = backOff(retryOptions, failures);
        call.watched?.waits({ error: last.toError(call), waitInMs });
        await deadline.sleep(waitInMs);
      }
    } catch (error) {
      if (deadline.hasExpired) {
        const why = last === undefined ? "" : `, since ${last.message}`;
        const reason = `the events were out of reach for ${call.timeoutInMs} ms${why}`;
        throw failure(call, "Timeout", reason, { retryable: true, cause: last?.toError(call) });
      }
      throwIfAborted(call.abortSignal);
      throw error instanceof AmqpFailure ? error.toError(call) : toFailure(error, "reading events", []).toError(call);
    } finally {
      deadline.release();
    }
  }
}

/** Waits until links can be attached. */
function whenReady(connection: HubConnection): Promise<void> {
  if (connection.isReady) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const user = {
      isBusy: true,
      ready(): void {
        // Whoever waits for this joins before this one leaves, so that the connection is not closed for lack of users.
        resolve();
        setTimeout(() => connection.leave(user), 0);
      },
      ended: reject,
    };
    connection.join(user);
  });
}

function lastOf(answer: Readonly<Record<string, unknown>>, call: CallOptions): EventPosition {
  const { last_enqueued_sequence_number: sequenceNumber } = answer;
  if (Number.isSafeInteger(sequenceNumber)) return { sequenceNumber: Number(sequenceNumber) };
  throw failure(call, "InvalidResponse", "the event hub does not say which event of a partition is the last");
}
