import { Activity } from "./activity/activity.ts";
import { Authorizer, newPolicies, type Policy, type PolicyName } from "./auth/authorization.ts";
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
import { FaultListeners } from "./fault_listeners.ts";
import { FeedbackBatcher } from "./messages/feedback_batcher.ts";
import { HubAlarm } from "./hub_alarm.ts";
import type { IdentityStore } from "./records/identity_store.ts";
import { LaggingIdentityStore } from "./records/lagging_identity_store.ts";
import { MemoryIdentityStore } from "./records/memory_identity_store.ts";
import { WatchedIdentityStore } from "./records/watched_identity_store.ts";
import { JwtAuthority } from "./auth/jwt_authority.ts";
import { ConfigurationCopies } from "./jobs/configuration_copies.ts";
import type { HubTier } from "./jobs/active_jobs.ts";
import { ImportExportJobs } from "./jobs/import_export_jobs.ts";
import { ScheduledJobs } from "./jobs/scheduled_jobs.ts";
import { IdentityQueues } from "./identities/identity_queues.ts";
import { ModuleRegistry } from "./identities/module_registry.ts";
import type { PolicyKeyOption } from "./auth/policy_keys.ts";
import { Presence } from "./presence/presence.ts";
import { QueryPages } from "./queries/pages.ts";
import { queryable } from "./queries/queryable.ts";
import { devicesCollection, twinCollections } from "./queries/twin_collections.ts";
import { SasVerifier } from "./auth/sas_verifier.ts";
import { ServiceQueue } from "./messages/service_queue.ts";
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
  tier?: HubTier | undefined;
  deviceAuthorities?: readonly string[] | undefined;
  policyKeys?: { readonly [name in PolicyName]?: PolicyKeyOption } | undefined;
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
  /** What the hub does by itself. */
  readonly background: BackgroundWork = new BackgroundWork(this.faults);
  /** The feedback on cloud-to-device messages. */
  readonly feedback: ServiceQueue;
  readonly fileNotifications: ServiceQueue;
  readonly policies: ReadonlyMap<string, Policy>;
  readonly store: IdentityStore;
  readonly presence: Presence;
  readonly queues: IdentityQueues;
  readonly modules: ModuleRegistry;
  readonly devices: DeviceRegistry;
  readonly twins: TwinWrites;
  /** Where what devices send goes. */
  readonly telemetry: TelemetrySink = new TelemetrySink();
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

  /** The hub's own name. */
  get hostName(): string {
    return this.hosts.hostName;
  }

  constructor(options: HubStateOptions) {
    const { hostName, now, clockSkew, feedbackIntervalInMs = DEFAULT_FEEDBACK_INTERVAL } = options;
    this.hosts = new HubHosts(hostName);
    this.now = now;
    this.policies = newPolicies(options.policyKeys ?? {});
    this.amqpIdleTimeoutInMs = options.amqpIdleTimeoutInMs ?? DEFAULT_AMQP_IDLE_TIMEOUT;
    this.activity = new Activity(now, this.faults);
    this.alarm = new HubAlarm(now, this.faults);
    this.feedback = new ServiceQueue(this.alarm);
    this.fileNotifications = new ServiceQueue(this.alarm);
    const { store, queried } = newIdentityStore(now, options.queryLagInMs ?? 0);
    this.store = store;
    this.presence = new Presence(now, this.store, this.activity);
    store.onCredentials((record) => this.presence.credentialsChanged(record));
    const feedback = new FeedbackBatcher(this.feedback, this.alarm, now, feedbackIntervalInMs);
    this.queues = new IdentityQueues({
      now,
      store: this.store,
      presence: this.presence,
      feedback,
      alarm: this.alarm,
      activity: this.activity,
    });
    this.modules = new ModuleRegistry(now, this.store, this.presence, this.queues);
    this.devices = new DeviceRegistry(now, this.store, this.presence, this.modules, this.queues);
    this.twins = new TwinWrites(now, this.store, this.presence);
    this.twinDocuments = new TwinDocuments(this.queues);
    this.bulk = new BulkRegistry(this.store, this.devices, this.modules, this.twins);
    this.methods = new DirectMethodBroker(this.presence, this.activity);
    this.scheduledJobs = new ScheduledJobs({
      now,
      queried: devicesCollection(queried, this.twinDocuments),
      store: this.store,
      twins: this.twins,
      methods: this.methods,
      alarm: this.alarm,
      background: this.background,
      faults: this.faults,
      tier: options.tier ?? DEFAULT_TIER,
    });
    this.queries = new QueryPages([
      ...twinCollections(queried, this.twinDocuments),
      queryable(this.scheduledJobs.deviceJobs),
    ]);
    this.configurations = new ConfigurationRegistry(now, this.queries, this.twinDocuments);
    const { alarm, modules, twins, configurations } = this;
    new ConfigurationEvaluation({ now, alarm, store, modules, twins, configurations });
    this.blobs = new BlobStorage({ now, clockSkew });
    this.blobEndpoint = new BlobEndpoint(this.blobs, now, this.faults);
    this.uploads = new FileUploads({ now, alarm, storage: this.blobs, notifications: this.fileNotifications });
    this.importExportJobs = new ImportExportJobs({
      now,
      store: this.store,
      bulk: this.bulk,
      configurations: new ConfigurationCopies(this.configurations),
      storage: this.blobs,
      background: this.background,
      faults: this.faults,
    });
    this.jwt = new JwtAuthority(now, clockSkew);
    this.authorizer = new Authorizer(
      now,
      new SasVerifier({ hosts: this.hosts, policies: this.policies, now, clockSkew }),
      this.jwt,
    );
    this.deviceSignIn = new DeviceSignIn({
      authorizer: this.authorizer,
      devices: new DeviceSasVerifier({ hosts: this.hosts, store, now, clockSkew }),
      store,
      authorities: new DeviceAuthorities(options.deviceAuthorities ?? [], now),
    });
  }

  /** Ends every call that waits for a device, and stops the jobs and the timers. */
  close(): void {
    this.importExportJobs.close();
    this.scheduledJobs.close();
    this.methods.close();
    this.feedback.close();
    this.fileNotifications.close();
    this.alarm.close();
  }
}

/** Creates the store of the identities, and names what queries see of them. */
function newIdentityStore(
  now: () => number,
  queryLagInMs: number,
): { store: WatchedIdentityStore; queried: Pick<IdentityStore, "devices" | "modules"> } {
  if (queryLagInMs > 0) {
    const store = new LaggingIdentityStore(now, queryLagInMs);
    return { store: new WatchedIdentityStore(store), queried: store.replica };
  }
  const store = new MemoryIdentityStore();
  return { store: new WatchedIdentityStore(store), queried: store };
}
