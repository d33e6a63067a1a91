import type { Connection, Delivery, EventContext, Receiver, Sender, Session, Source } from "rhea";
import { quote } from "../../values/checks.ts";
import { type AmqpAddress, parseAddress, type SourceAddress } from "./address.ts";
import type { AmqpBackend } from "./backend.ts";
import { AmqpCbs } from "./cbs.ts";
import { type AmqpError, amqpErrorOf, amqpErrorOfFault } from "./conditions.ts";
import type { PlannedOutcome } from "./fault_state.ts";
import { AmqpGrants } from "./grants.ts";
import { type Guard, listen } from "./guard.ts";
import { parseTarget, readMessage } from "./incoming_message.ts";
import { AmqpOutgoingLink } from "./outgoing_link.ts";
import { HubFault, notInThisVersion, unauthorized } from "../hub_fault.ts";

/** A link that carries messages, and the right that its client needs a token for. */
interface MessageLink {
  readonly right: string;
  /** The path that the token must cover. */
  readonly path: readonly string[];
  /** Set for a link on which the hub sends. */
  outgoing?: AmqpOutgoingLink;
  isWithoutCredit?: boolean;
}

const SERVICE_RIGHT = "ServiceConnect";
const DEVICE_RIGHT = "DeviceConnect";
/** The path that the token of a back end must cover. */
const SERVICE_PATH: readonly string[] = ["devices"];
const CREDIT_WINDOW = 500;

/** What the hub knows about one client's connection: the rights it has, and the links that depend on them. */
export class AmqpPeer {
  readonly #backend: AmqpBackend;
  readonly #guard: Guard;
  readonly #links: Map<Receiver | Sender, MessageLink> = new Map();
  readonly #grants: AmqpGrants;
  readonly #cbs: AmqpCbs;
  #isGone = false;

  constructor(backend: AmqpBackend, connection: Connection, guard: Guard) {
    this.#backend = backend;
    this.#guard = guard;
    this.#grants = new AmqpGrants(() => backend.now(), guard, () => this.#cutUncovered());
    this.#cbs = new AmqpCbs(backend, guard, (grant) => {
      if (!this.#isGone) this.#grants.add(grant);
    });
    listen(connection, guard, {
      receiver_open: ({ receiver }) => this.#onSendingClient(receiver!),
      sender_open: ({ sender }) => this.#onReceivingClient(sender!),
      receiver_close: ({ receiver }) => this.#forget(receiver!),
      sender_close: ({ sender }) => this.#forget(sender!),
      session_close: ({ session }) => this.#forgetSession(session!),
    });
  }

  /** To be called when the connection has ended. */
  end(): void {
    this.#isGone = true;
    this.#grants.clear();
    for (const link of [...this.#links.keys()]) this.#forget(link);
  }

  /** Detaches every link that carries messages. */
  detach(error: AmqpError): void {
    for (const link of [...this.#links.keys()]) this.#close(link, error);
  }

  /** Treats every token as expired. */
  expire(): void {
    this.#grants.clear();
    this.#cutUncovered();
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
    if (parsed?.kind !== "devicebound") return refuse(link, address, parsed);
    const messageLink = this.#authorize(link, parsed);
    if (messageLink === undefined) return;
    listen(link, this.#guard, { message: (context) => this.#onMessage(context) });
    echo(link);
    messageLink.isWithoutCredit = this.#backend.faults.refusesCredit;
    if (!messageLink.isWithoutCredit) grantCredit(link);
  }

  #onReceivingClient(link: Sender): void {
    const address = addressOf(link.source);
    const parsed = parseAddress(address);
    if (parsed === undefined || parsed.kind === "devicebound" || parsed.kind === "later") {
      return refuse(link, address, parsed);
    }
    if (parsed.kind === "cbs") this.#cbs.replyTo(link);
    else if (!this.#openSource(link, parsed)) return;
    echo(link);
  }

  #openSource(link: Sender, address: SourceAddress): boolean {
    const messageLink = this.#authorize(link, address);
    if (messageLink === undefined) return false;
    try {
      messageLink.outgoing = new AmqpOutgoingLink(
        link,
        this.#backend.hostName,
        this.#guard,
        (events) => this.#backend.openSource(address, events),
        () => this.#isCovered(link),
        (reason) => this.#close(link, reason),
      );
      return true;
    } catch (error) {
      this.#close(link, this.#errorOf(error));
      return false;
    }
  }

  /** Registers a link when its client has the right to it, and closes it otherwise. */
  #authorize(link: Receiver | Sender, address: AmqpAddress): MessageLink | undefined {
    const messageLink: MessageLink = address.kind === "device"
      ? { right: DEVICE_RIGHT, path: pathOfDevice(address) }
      : { right: SERVICE_RIGHT, path: SERVICE_PATH };
    if (this.#grants.covers(messageLink.right, messageLink.path)) {
      this.#links.set(link, messageLink);
      return messageLink;
    }
    const { right, path } = messageLink;
    const text = `The client has put no valid token with the right ${right} for /${path.join("/")}`;
    link.close(amqpErrorOfFault(unauthorized("IotHubUnauthorizedAccess", text)));
    return undefined;
  }

  /** Whether a valid token still covers the link. If none does, it closes the link. */
  #isCovered(link: Receiver | Sender): boolean {
    const messageLink = this.#links.get(link);
    if (messageLink === undefined) return false;
    if (this.#grants.covers(messageLink.right, messageLink.path)) return true;
    this.#close(link, EXPIRED);
    return false;
  }

  #onMessage(context: EventContext): void {
    const { delivery, receiver } = context;
    // The link has been detached, but the client does not know yet.
    if (!this.#isCovered(receiver!)) return leaveUnanswered(delivery!);
    const planned = this.#backend.faults.takeOutcome();
    if (planned !== undefined && planned.kind !== "ignore") {
      return writeAlone(receiver!, () => apply(planned, delivery!));
    }
    try {
      this.#backend.enqueueMessage(parseTarget(context.message!.to), readMessage(context.message!));
      if (planned === undefined) delivery!.accept();
      else leaveUnanswered(delivery!);
    } catch (error) {
      writeAlone(receiver!, () => delivery!.reject(this.#errorOf(error)));
    }
  }

  #errorOf(error: unknown): AmqpError {
    return amqpErrorOf(error, (fault) => this.#backend.report(fault));
  }

  #cutUncovered(): void {
    for (const link of [...this.#links.keys()]) this.#isCovered(link);
  }

  #close(link: Receiver | Sender, error: AmqpError): void {
    this.#forget(link);
    link.close(error);
  }

  #forget(link: Receiver | Sender): void {
    this.#links.get(link)?.outgoing?.close();
    this.#links.delete(link);
  }

  #forgetSession(session: Session): void {
    for (const link of [...this.#links.keys()]) if (link.session === session) this.#forget(link);
  }
}

const EXPIRED: AmqpError = amqpErrorOfFault(unauthorized("IotHubUnauthorized", "The token has expired"));

function grantCredit(link: Receiver): void {
  link.set_credit_window(CREDIT_WINDOW);
  link.add_credit(CREDIT_WINDOW);
}

/** Writes an outcome by itself, since the library would write the first outcome of a turn for all of them. */
function writeAlone(link: Receiver, decide: () => void): void {
  writeOutcomes(link);
  decide();
  writeOutcomes(link);
}

/** Writes the pending outcomes, with a method of the library that its types do not declare. */
function writeOutcomes(link: Receiver): void {
  const session = link.session as unknown as { incoming: { process(session: unknown): void } };
  session.incoming.process(session);
}

function apply(planned: PlannedOutcome, delivery: Delivery): void {
  if (planned.kind === "reject") delivery.reject(planned.error);
  else if (planned.kind === "modify") delivery.modified({ delivery_failed: true, undeliverable_here: false });
  else delivery.release();
}

/** Leaves a delivery without an outcome for good, and keeps the library from waiting for one. */
function leaveUnanswered(delivery: Delivery): void {
  (delivery as { settled: boolean }).settled = true;
}

function pathOfDevice({ deviceId, moduleId }: { deviceId: string; moduleId?: string }): string[] {
  return moduleId === undefined ? ["devices", deviceId] : ["devices", deviceId, "modules", moduleId];
}

/** Returns the address of a link's end; one that is no string is like none. */
function addressOf(terminus: { address?: unknown } | undefined): string {
  const address = terminus?.address;
  return typeof address === "string" ? address : "";
}

/**
 * Names both ends in the answer to an attach. Some clients read them, and a missing end says that the link is refused.
 * Only their addresses are repeated, since the hub has no filters, no durable ends and no dynamic nodes.
 */
function echo(link: Receiver | Sender): void {
  link.set_source(endOf(link.source));
  link.set_target(endOf(link.target));
}

/** An end with no more than the address of another; the library's types want an address, and AMQP does not. */
function endOf(terminus: { address?: unknown } | undefined): Source {
  const address = addressOf(terminus);
  return (address === "" ? {} : { address }) as Source;
}

function refuse(link: Receiver | Sender, address: string, parsed: AmqpAddress | undefined): void {
  const fault = parsed?.kind === "later"
    ? notInThisVersion(`The link address ${quote(address)}`)
    : new HubFault("AmqpAddressNotFound", 404, `The hub has no link address ${quote(address)}`);
  link.close(amqpErrorOfFault(fault));
}
