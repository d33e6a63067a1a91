import type { Connection, EventContext, Message, Receiver, Sender, Session } from "rhea";
import type { LocalHubDisconnectReason } from "../activity/hub_event.ts";
import { quote } from "../../values/checks.ts";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import type { SignInMethod } from "../presence/device_connection.ts";
import { deviceResourcePath } from "../auth/resource_path.ts";
import { identityKey } from "../records/identity_records.ts";
import { type DeviceLinkAddress, parseAddress } from "./address.ts";
import type { AmqpBackend, AmqpSource, AmqpSourceEvents } from "./backend.ts";
import { C2dIntake } from "./c2d_intake.ts";
import { AmqpCbs } from "./cbs.ts";
import { type AmqpError, amqpErrorOf } from "./conditions.ts";
import { EventManagement } from "./event_management.ts";
import { openEventSource } from "./event_source.ts";
import { eventHubPath, LISTEN_RIGHT } from "../auth/event_hub_verifier.ts";
import { redirect } from "./redirect.ts";
import { AmqpDeviceLinks } from "./device_links.ts";
import { type ClientGrant, ClientGrants } from "../auth/grants.ts";
import { type Guard, listen } from "./guard.ts";
import { grantCredit, leaveUnanswered, writeAlone } from "./incoming_deliveries.ts";
import { addressOf, echo, readModelId } from "./link_ends.ts";
import { AmqpOutgoingLink } from "./outgoing_link.ts";
import { HubFault, unauthorized } from "../hub_fault.ts";

/** A link that carries messages. */
interface MessageLink {
  /** Whether the client still has the right to it. */
  readonly isCovered: () => boolean;
  /** Set for a link of a device, until the device is known to be there. */
  device?: AmqpDeviceLinks;
  /** Set for a link on which the hub sends. */
  outgoing?: AmqpOutgoingLink;
  isWithoutCredit?: boolean;
}

/** What there is to know of a client before it has said anything in AMQP. */
export interface ClientSecurity {
  /** The certificate that it has shown to TLS. */
  readonly certificate: ClientCertificate | undefined;
  /** The port by which it has come. */
  readonly port: number | undefined;
  /** Ends the connection of a client whose token for the whole connection has expired. */
  end(reason: AmqpError): void;
}

const SERVICE_RIGHT = "ServiceConnect";
const DEVICE_RIGHT = "DeviceConnect";
/** The path that the token of a back end must cover. */
const SERVICE_PATH: readonly string[] = ["devices"];
/** What a client has to have the right to before it is told where the events are. */
const EVENTS_PATH: readonly string[] = ["messages", "events"];
const SETTLED = 1;

/** What the hub knows about one client's connection: the rights it has, and the links that depend on them. */
export class AmqpPeer {
  readonly #backend: AmqpBackend;
  readonly #guard: Guard;
  readonly #security: ClientSecurity;
  readonly #links: Map<Receiver | Sender, MessageLink> = new Map();
  /** The devices that are connected by this connection, by the keys of their identities. */
  readonly #devices: Map<string, AmqpDeviceLinks> = new Map();
  readonly #grants: ClientGrants;
  readonly #cbs: AmqpCbs;
  readonly #management: EventManagement;
  readonly #c2d: C2dIntake;
  /** The host that the client has named, if it is one of the hub's. */
  readonly #host: () => string;
  /** The token that the client has signed in with, which the whole connection depends on. */
  #signIn: ClientGrant | undefined;
  #isGone = false;

  constructor(backend: AmqpBackend, connection: Connection, guard: Guard, security: ClientSecurity) {
    this.#backend = backend;
    this.#guard = guard;
    this.#security = security;
    this.#grants = new ClientGrants(
      backend.alarm,
      () => backend.now(),
      guard,
      (expired) => this.#onExpiry(expired),
    );
    this.#cbs = new AmqpCbs(backend, guard, (grant) => this.#grant(grant));
    this.#management = new EventManagement(backend, guard, (link) => this.#isCovered(link));
    this.#c2d = new C2dIntake(
      backend,
      (link) => this.#isCovered(link),
      () => this.#grants.find(SERVICE_RIGHT, SERVICE_PATH),
    );
    this.#host = () => {
      const { hostname } = connection;
      return typeof hostname === "string" && backend.hasHost(hostname) ? hostname : backend.hostName;
    };
    listen(connection, guard, {
      receiver_open: ({ receiver }) => this.#onSendingClient(receiver!),
      sender_open: ({ sender }) => this.#onReceivingClient(sender!),
      receiver_close: ({ receiver }) => this.#forget(receiver!),
      sender_close: ({ sender }) => this.#forget(sender!),
      session_close: ({ session }) => this.#forgetSession(session!),
    });
  }

  /** To be called when the client has signed in with a token, before it opens the connection. */
  signedIn(grant: ClientGrant): void {
    this.#signIn = grant;
    this.#grant(grant);
  }

  /** To be called when the connection has ended. */
  end(reason: LocalHubDisconnectReason): void {
    this.#isGone = true;
    this.#grants.clear();
    for (const link of [...this.#links.keys()]) this.#forget(link, reason);
  }

  /** Detaches every link that carries messages. */
  detach(error: AmqpError): void {
    for (const link of [...this.#links.keys()]) this.#close(link, error);
  }

  /** Treats every token as expired. */
  expire(): void {
    this.#onExpiry(this.#grants.clear());
  }

  /** Grants credit to the links that were refused it. */
  grantCredit(): void {
    for (const [link, messageLink] of this.#links) {
      if (messageLink.isWithoutCredit) grantCredit(link as Receiver);
      messageLink.isWithoutCredit = false;
    }
  }

  #onSendingClient(link: Receiver): void {
    const address = addressOf(link.target);
    const parsed = parseAddress(address);
    if (parsed?.kind === "cbs") {
      this.#cbs.listenTo(link);
      echo(link);
      return grantCredit(link);
    }
    if (parsed?.kind === "devicebound") {
      if (this.#authorizeService(link) === undefined) return;
      return this.#listenTo(link, (context) => this.#c2d.take(context));
    }
    if (parsed?.kind === "management") {
      if (this.#authorizeManagement(link) === undefined) return;
      this.#management.listenTo(link);
      echo(link);
      return grantCredit(link);
    }
    const kind = parsed?.kind;
    if (kind !== "events" && kind !== "methods" && kind !== "twin") return this.#refuse(link, noSuchAddress(address));
    const device = this.#openDevice(link, parsed as DeviceLinkAddress)?.device;
    if (device === undefined) return;
    device.add(kind, link);
    this.#listenTo(link, (context) => this.#take(context, (message) => device.take(kind, message)));
  }

  #onReceivingClient(link: Sender): void {
    const address = addressOf(link.source);
    const parsed = parseAddress(address);
    switch (parsed?.kind) {
      case "cbs":
        this.#cbs.replyTo(link);
        return echo(link);
      case "feedback":
      case "fileNotifications": {
        const messageLink = this.#authorizeService(link);
        if (messageLink === undefined) return;
        return this.#sendFrom(link, messageLink, (events) => this.#backend.openSource(parsed, events), false);
      }
      case "redirect":
        return this.#redirect(link, parsed.tail);
      case "management":
        if (this.#authorizeManagement(link) === undefined) return;
        this.#management.replyTo(link);
        return echo(link);
      case "eventPartition": {
        const { eventHubName, consumerGroup, partitionId } = parsed;
        const path = eventHubPath(eventHubName, "consumergroups", consumerGroup, "partitions", partitionId);
        const messageLink = this.#authorizeAt(link, LISTEN_RIGHT, path);
        if (messageLink === undefined) return;
        const isPresettled = link.snd_settle_mode === SETTLED;
        return this.#sendFrom(
          link,
          messageLink,
          (events) => openEventSource(this.#backend, parsed, link, events),
          isPresettled,
        );
      }
      case "messages":
      case "methods":
      case "twin":
      case "events": {
        // It is modules that have inputs.
        if (parsed.kind === "events" && parsed.moduleId === undefined) break;
        const messageLink = this.#openDevice(link, parsed);
        const device = messageLink?.device;
        if (messageLink === undefined || device === undefined) return;
        const { kind } = parsed;
        device.add(kind, link);
        return this.#sendFrom(link, messageLink, (events) => device.openSource(kind, events), kind !== "messages");
      }
    }
    this.#refuse(link, noSuchAddress(address));
  }

  /** Takes messages from a link, for which its client gets credit. */
  #listenTo(link: Receiver, onMessage: (context: EventContext) => void): void {
    listen(link, this.#guard, { message: onMessage });
    echo(link);
    const isWithoutCredit = this.#backend.faults.refusesCredit;
    this.#links.get(link)!.isWithoutCredit = isWithoutCredit;
    if (!isWithoutCredit) grantCredit(link);
  }

  /** Sends on a link what there is in its source. */
  #sendFrom(
    link: Sender,
    messageLink: MessageLink,
    open: (events: AmqpSourceEvents) => AmqpSource,
    isPresettled: boolean,
  ): void {
    try {
      messageLink.outgoing = new AmqpOutgoingLink(
        link,
        this.#backend.hostName,
        this.#guard,
        open,
        isPresettled,
        () => this.#isCovered(link),
        (reason) => this.#close(link, reason),
      );
      echo(link);
    } catch (error) {
      this.#close(link, this.#errorOf(error));
    }
  }

  /** Tells a client where the events are, if it may read them. */
  #redirect(link: Sender, tail: string): void {
    if (this.#authorizeAt(link, SERVICE_RIGHT, EVENTS_PATH) === undefined) return;
    echo(link);
    this.#close(link, redirect(tail, this.#host(), this.#security.port, this.#backend.eventHub.name));
  }

  #authorizeManagement(link: Receiver | Sender): MessageLink | undefined {
    return this.#authorizeAt(link, LISTEN_RIGHT, eventHubPath(this.#backend.eventHub.name, "$management"));
  }

  #authorizeAt(link: Receiver | Sender, right: string, path: readonly string[]): MessageLink | undefined {
    return this.#authorize(link, right, path, () => this.#grants.find(right, path) !== undefined);
  }

  /** Registers the link of a back end when its client has the right to it, and closes it otherwise. */
  #authorizeService(link: Receiver | Sender): MessageLink | undefined {
    return this.#authorizeAt(link, SERVICE_RIGHT, SERVICE_PATH);
  }

  /** Registers the link of a device, likewise, and connects the device with its first link. */
  #openDevice(link: Receiver | Sender, address: DeviceLinkAddress): MessageLink | undefined {
    const path = deviceResourcePath(address);
    const { certificate } = this.#security;
    const isCovered = (): boolean =>
      this.#grants.find(DEVICE_RIGHT, path) !== undefined ||
      (certificate !== undefined && this.#backend.knowsCertificate(address, certificate));
    const messageLink = this.#authorize(link, DEVICE_RIGHT, path, isCovered);
    if (messageLink === undefined) return undefined;
    try {
      messageLink.device = this.#deviceAt(address, link);
      return messageLink;
    } catch (error) {
      this.#close(link, this.#errorOf(error));
      return undefined;
    }
  }

  #deviceAt(address: DeviceLinkAddress, link: Receiver | Sender): AmqpDeviceLinks {
    const key = identityKey(address.deviceId, address.moduleId);
    const known = this.#devices.get(key);
    if (known !== undefined) return known;
    const device = new AmqpDeviceLinks({
      open: (connection) => this.#backend.openSession(address, connection),
      signedInWith: () => this.#signInMethodOf(address),
      end: (links, reason) => this.#guard(() => links.forEach((ended) => this.#close(ended, reason))),
      cutUncovered: () => this.#guard(() => this.#cutUncovered()),
      reporter: this.#backend,
    }, readModelId(link.properties));
    this.#devices.set(key, device);
    return device;
  }

  #authorize(
    link: Receiver | Sender,
    right: string,
    path: readonly string[],
    isCovered: () => boolean,
  ): MessageLink | undefined {
    if (isCovered()) {
      const messageLink: MessageLink = { isCovered };
      this.#links.set(link, messageLink);
      return messageLink;
    }
    const text = `The client has shown no valid token or certificate with the right ${right} for /${path.join("/")}`;
    const fault = unauthorized("IotHubUnauthorizedAccess", text);
    this.#backend.activity.refuse("amqp", fault);
    this.#refuse(link, fault);
    return undefined;
  }

  /** Without a token that grants the right, there is a certificate. */
  #signInMethodOf(address: DeviceLinkAddress): SignInMethod {
    const grant = this.#grants.find(DEVICE_RIGHT, deviceResourcePath(address));
    if (grant === undefined) return "certificate";
    // Only the keys of identities can be replaced.
    return grant.isCurrent === undefined ? "policyKey" : "identityKey";
  }

  /** Whether the client still has the right to a link. If it has not, it closes the link. */
  #isCovered(link: Receiver | Sender): boolean {
    const messageLink = this.#links.get(link);
    if (messageLink === undefined) return false;
    if (messageLink.isCovered()) return true;
    this.#close(link, this.#errorOf(EXPIRED), "unauthorized");
    return false;
  }

  /** Takes a message of a device. Of one that was sent without waiting for an outcome, the link tells what is wrong. */
  #take({ delivery, receiver, message }: EventContext, take: (message: Message) => void): void {
    if (!this.#isCovered(receiver!)) return leaveUnanswered(delivery!);
    try {
      take(message!);
      delivery!.accept();
    } catch (error) {
      const reason = this.#errorOf(error);
      if (!delivery!.remote_settled) return writeAlone(receiver!, () => delivery!.reject(reason));
      leaveUnanswered(delivery!);
      this.#close(receiver!, reason);
    }
  }

  #grant(grant: ClientGrant): void {
    if (!this.#isGone) this.#grants.add(grant);
  }

  #onExpiry(expired: readonly ClientGrant[]): void {
    this.#cutUncovered();
    if (this.#signIn !== undefined && expired.includes(this.#signIn)) this.#security.end(this.#errorOf(EXPIRED));
  }

  #errorOf(error: unknown): AmqpError {
    return amqpErrorOf(error, this.#backend);
  }

  #refuse(link: Receiver | Sender, fault: HubFault): void {
    link.close(this.#errorOf(fault));
  }

  #cutUncovered(): void {
    for (const link of [...this.#links.keys()]) this.#isCovered(link);
  }

  #close(link: Receiver | Sender, error: AmqpError, reason: LocalHubDisconnectReason = "forced"): void {
    this.#forget(link, reason);
    link.close(error);
  }

  #forget(link: Receiver | Sender, reason: LocalHubDisconnectReason = "closed"): void {
    const known = this.#links.get(link);
    // First, since an outcome that has just come still counts.
    known?.outgoing?.close();
    this.#links.delete(link);
    if (known?.device?.remove(link, reason)) this.#forgetDevice(known.device);
  }

  #forgetDevice(device: AmqpDeviceLinks): void {
    for (const [key, known] of this.#devices) if (known === device) this.#devices.delete(key);
  }

  #forgetSession(session: Session): void {
    for (const link of [...this.#links.keys()]) if (link.session === session) this.#forget(link);
  }
}

const EXPIRED: HubFault = unauthorized(
  "IotHubUnauthorized",
  "The token has expired, or its identity has other keys or certificates now",
);

function noSuchAddress(address: string): HubFault {
  return new HubFault("AmqpAddressNotFound", 404, `The hub has no link address ${quote(address)}`);
}
