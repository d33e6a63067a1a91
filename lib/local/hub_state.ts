import { Activity } from "./activity/activity.ts";
import { Authorizer, type PolicyKeyOptions } from "./auth/authorization.ts";
import { ConfigurationEvaluation } from "./configurations/evaluation.ts";
import { ConfigurationRegistry } from "./configurations/configuration_registry.ts";
import { BackgroundWork } from "./background_work.ts";
import { BlobEndpoint } from "./blobs/blob_endpoint.ts";
import { BlobStorage } from "./blobs/blob_storage.ts";
import { BulkRegistry } from "./bulk_registry.ts";
import { DeviceAuthorities } from "./auth/device_authorities.ts";
import { DeviceSasVerifier } from "./auth/device_sas_verifier.ts";
import { DeviceSignIn } from "./auth/device_sign_in.ts";
import { DeviceRegistry } from "./identities/device_registry.ts";
import { DirectMethodBroker } from "./presence/direct_method_broker.ts";
import { HubHosts } from "./auth/hub_hosts.ts";
import { EventHubVerifier } from "./auth/event_hub_verifier.ts";
import { EventLog } from "./events/event_log.ts";
import { type LocalEventOptions, resolveEventOptions } from "./events/event_options.ts";
import { connectEventSources } from "./events/event_sources.ts";
import { FaultListeners } from "./fault_listeners.ts";
import { FeedbackBatcher } from "./messages/feedback_batcher.ts";
import { HubAlarm } from "./hub_alarm.ts";
import type { IdentityStore } from "./records/identity_store.ts";
import { LaggingIdentityStore } from "./records/lagging_identity_store.ts";
import { MemoryIdentityStore } from "./records/memory_identity_store.ts";
import { WatchedIdentityStore } from "./records/watched_identity_store.ts";
import { JwtAuthority } from "./auth/jwt_authority.ts";
import { ConfigurationCopies } from "./jobs/configuration_copies.ts";
import type { HubTier } from "../timing/hub_tiers.ts";
import { ImportExportJobs } from "./jobs/import_export_jobs.ts";
import { ScheduledJobs } from "./jobs/scheduled_jobs.ts";
import { IdentityQueues } from "./identities/identity_queues.ts";
import { ModuleRegistry } from "./identities/module_registry.ts";
import { KeptIdentityStore } from "./records/kept_identity_store.ts";
import { KeptQueues } from "./messages/kept_queues.ts";
import { Policies } from "./auth/policies.ts";
import { Presence } from "./presence/presence.ts";
import { QueryPages } from "./queries/pages.ts";
import { queryable } from "./queries/queryable.ts";
import { devicesCollection, twinCollections } from "./queries/twin_collections.ts";
import { SasVerifier } from "./auth/sas_verifier.ts";
import { ServiceQueue } from "./messages/service_queue.ts";
import { HubStorage, type Keeper } from "./storage/hub_storage.ts";
import type { RowFile } from "./storage/row_file.ts";
import type { LocalHubSnapshot } from "./storage/snapshot.ts";
import { Throttle } from "./throttle.ts";
import { TelemetrySink } from "./sessions/telemetry_sink.ts";
import { FileUploads } from "./uploads/file_uploads.ts";
import { TwinDocuments } from "./twins/twin_documents.ts";
import { TwinWrites } from "./twins/twin_writes.ts";

const DEFAULT_FEEDBACK_INTERVAL = 15_000;
const DEFAULT_AMQP_IDLE_TIMEOUT = 240_000;
const DEFAULT_TIER: HubTier = "S3";

/** The settings of a {@linkcode HubState}. Times are in milliseconds. */
export interface HubStateOptions {
  hostName: string;
  now: () => number;
  clockSkew: number;
  feedbackIntervalInMs?: number | undefined;
  amqpIdleTimeoutInMs?: number | undefined;
  queryLagInMs?: number | undefined;
  throttling?: { tier: HubTier; units?: number | undefined; bulkCost?: "devices" | "request" | undefined } | undefined;
  deviceAuthorities?: readonly string[] | undefined;
  policyKeys?: PolicyKeyOptions | undefined;
  /** Where the hub keeps what it is told; `undefined` for nowhere but in memory. */
  file?: RowFile | undefined;
  events?: LocalEventOptions | undefined;
}

/** Puts the parts of a hub together. It knows neither protocols nor sockets. */
export class HubState {
  /** The hosts at which clients reach the hub, which tokens are for. */
  readonly hosts: HubHosts;
  readonly now: () => number;
  /** How long an AMQP connection may be silent before it is closed. */
  readonly amqpIdleTimeoutInMs: number;
  /** Who wants to know about exceptions inside the hub. */
  readonly faults: FaultListeners = new FaultListeners();
  /** Tells whoever wants to know what the hub does. */
  readonly activity: Activity;
  readonly alarm: HubAlarm;
  /** What limits the hub's callers, if anything does. */
  readonly throttle: Throttle | undefined;
  /** What the hub does by itself. */
  readonly background: BackgroundWork = new BackgroundWork(this.faults);
  /** The feedback on cloud-to-device messages. */
  readonly feedback: ServiceQueue;
  readonly fileNotifications: ServiceQueue;
  readonly policies: Policies;
  readonly store: IdentityStore;
  readonly presence: Presence;
  readonly queues: IdentityQueues;
  readonly modules: ModuleRegistry;
  readonly devices: DeviceRegistry;
  readonly twins: TwinWrites;
  /** Where what devices send goes. */
  readonly telemetry: TelemetrySink = new TelemetrySink();
  /** What devices have sent, and what the hub tells by itself, for whoever reads it. */
  readonly events: EventLog;
  readonly twinDocuments: TwinDocuments;
  readonly bulk: BulkRegistry;
  readonly methods: DirectMethodBroker;
  readonly queries: QueryPages;
  readonly configurations: ConfigurationRegistry;
  readonly blobs: BlobStorage;
  readonly blobEndpoint: BlobEndpoint;
  /** The files that devices upload. */
  readonly uploads: FileUploads;
  readonly importExportJobs: ImportExportJobs;
  readonly scheduledJobs: ScheduledJobs;
  readonly jwt: JwtAuthority;
  readonly authorizer: Authorizer;
  readonly deviceSignIn: DeviceSignIn;
  /** Lets back ends in that read events. */
  readonly eventHubSignIn: EventHubVerifier;
  readonly storage: HubStorage;
  /** Those who have what is kept, in the order in which they can read it. */
  readonly #keepers: readonly Keeper[];
  readonly #keptQueues: KeptQueues;

  /** The hub's own name. */
  get hostName(): string {
    return this.hosts.hostName;
  }

  constructor(options: HubStateOptions) {
    const { hostName, now, clockSkew, feedbackIntervalInMs = DEFAULT_FEEDBACK_INTERVAL } = options;
    this.hosts = new HubHosts(hostName);
    this.now = now;
    const storage = new HubStorage(options.file);
    this.storage = storage;
    this.policies = new Policies(options.policyKeys ?? {}, storage);
    this.amqpIdleTimeoutInMs = options.amqpIdleTimeoutInMs ?? DEFAULT_AMQP_IDLE_TIMEOUT;
    this.activity = new Activity(now, this.faults);
    this.alarm = new HubAlarm(now, this.faults, (work) => storage.together(work));
    const { tier, units = 1, bulkCost = "devices" } = options.throttling ?? {};
    this.throttle = tier && new Throttle({ tier, units, bulkCost }, now, this.alarm);
    const kept = new KeptQueues(storage);
    this.#keptQueues = kept;
    this.feedback = new ServiceQueue(this.alarm, kept.queue("feedback"));
    this.fileNotifications = new ServiceQueue(this.alarm, kept.queue("fileNotifications"));
    const { keptStore, store, queried } = newIdentityStore(now, options.queryLagInMs ?? 0, storage);
    this.store = store;
    this.presence = new Presence(now, this.store, this.activity);
    store.onCredentials((record) => this.presence.credentialsChanged(record));
    const feedback = new FeedbackBatcher({
      queue: this.feedback,
      alarm: this.alarm,
      now,
      intervalInMs: feedbackIntervalInMs,
      storage,
    });
    this.queues = new IdentityQueues({
      now,
      store: this.store,
      presence: this.presence,
      feedback,
      alarm: this.alarm,
      activity: this.activity,
      storage,
      kept,
    });
    this.modules = new ModuleRegistry(now, this.store, this.presence, this.queues);
    this.devices = new DeviceRegistry(now, this.store, this.presence, this.modules, this.queues);
    this.twins = new TwinWrites(now, this.store, this.presence);
    const eventOptions = resolveEventOptions(options.events);
    this.events = new EventLog({
      now,
      partitions: eventOptions.partitions,
      retention: eventOptions.retention,
      report: (error) => this.faults.report(error),
      storage,
    });
    connectEventSources({
      now,
      hubName: this.hosts.hubName,
      log: this.events,
      telemetry: this.telemetry,
      store,
      twins: this.twins,
      presence: this.presence,
    }, eventOptions);
    this.twinDocuments = new TwinDocuments(this.queues);
    this.bulk = new BulkRegistry(this.store, this.devices, this.modules, this.twins);
    this.methods = new DirectMethodBroker({
      presence: this.presence,
      activity: this.activity,
      now,
      alarm: this.alarm,
    });
    this.scheduledJobs = new ScheduledJobs({
      now,
      queried: devicesCollection(queried, this.twinDocuments),
      store: this.store,
      twins: this.twins,
      methods: this.methods,
      alarm: this.alarm,
      background: this.background,
      faults: this.faults,
      tier: options.throttling?.tier ?? DEFAULT_TIER,
      storage,
    });
    this.queries = new QueryPages([
      ...twinCollections(queried, this.twinDocuments),
      queryable(this.scheduledJobs.deviceJobs),
    ]);
    this.configurations = new ConfigurationRegistry(now, this.queries, this.twinDocuments, storage);
    const { alarm, modules, twins, configurations } = this;
    new ConfigurationEvaluation({ now, alarm, store, modules, twins, configurations });
    this.blobs = new BlobStorage({ now, clockSkew }, undefined, storage);
    this.blobEndpoint = new BlobEndpoint(this.blobs, now, this.faults);
    const { blobs, fileNotifications: notifications } = this;
    this.uploads = new FileUploads({ now, alarm, blobs, notifications, storage });
    this.importExportJobs = new ImportExportJobs({
      now,
      store: this.store,
      bulk: this.bulk,
      configurations: new ConfigurationCopies(this.configurations),
      blobs,
      background: this.background,
      faults: this.faults,
      storage,
    });
    this.jwt = new JwtAuthority(now, clockSkew);
    const policyParts = { hosts: this.hosts, policies: this.policies, now, clockSkew };
    this.authorizer = new Authorizer(
      now,
      new SasVerifier(policyParts),
      this.jwt,
    );
    this.eventHubSignIn = new EventHubVerifier(policyParts);
    this.deviceSignIn = new DeviceSignIn({
      authorizer: this.authorizer,
      devices: new DeviceSasVerifier({ hosts: this.hosts, store, now, clockSkew }),
      store,
      authorities: new DeviceAuthorities(options.deviceAuthorities ?? [], now),
    });
    this.#keepers = [
      this.policies,
      this.blobs,
      keptStore,
      kept,
      this.feedback,
      this.fileNotifications,
      feedback,
      this.queues,
      this.uploads,
      this.configurations,
      this.scheduledJobs,
      this.importExportJobs,
      this.events,
    ];
    storage.load(this.#keepers);
    storage.together(() => kept.dropRest());
  }

  /** Puts the hub where a snapshot says. Whoever is connected over a wire loses the connection. */
  restore(snapshot: LocalHubSnapshot): void {
    const before = [...this.store.devices.after(0), ...this.store.modules.after(0)];
    this.storage.together(() => {
      this.storage.clear(this.#keepers);
      // The devices are gone, and those in this process wait for the ones to come.
      for (const record of before) this.presence.refresh(record);
      this.storage.restore(snapshot, this.#keepers);
      this.#keptQueues.dropRest();
      for (const record of this.store.devices.after(0)) this.presence.refresh(record);
    });
  }

  /** Ends every call that waits for a device, and stops the jobs and the timers. */
  close(): void {
    this.throttle?.close();
    this.importExportJobs.close();
    this.scheduledJobs.close();
    this.methods.close();
    this.feedback.close();
    this.fileNotifications.close();
    this.alarm.close();
  }
}

/** Creates the store of the identities, and names what queries see of them. */
function newIdentityStore(now: () => number, queryLagInMs: number, storage: HubStorage): {
  keptStore: KeptIdentityStore;
  store: WatchedIdentityStore;
  queried: Pick<IdentityStore, "devices" | "modules">;
} {
  if (queryLagInMs > 0) {
    const lagging = new LaggingIdentityStore(now, queryLagInMs);
    const keptStore = new KeptIdentityStore(lagging, storage, now, () => lagging.catchUp());
    return { keptStore, store: new WatchedIdentityStore(keptStore), queried: lagging.replica };
  }
  const memory = new MemoryIdentityStore();
  const keptStore = new KeptIdentityStore(memory, storage, now);
  return { keptStore, store: new WatchedIdentityStore(keptStore), queried: memory };
}
