import type { EventContext, Message, Receiver } from "rhea";
import { callerOf } from "../auth/authorization.ts";
import type { ClientGrant } from "../auth/grants.ts";
import type { HubFault } from "../hub_fault.ts";
import type { AmqpBackend, MessageTarget } from "./backend.ts";
import { amqpErrorOf } from "./conditions.ts";
import type { PlannedOutcome } from "./fault_state.ts";
import { applyPlanned, leaveUnanswered, writeAlone } from "./incoming_deliveries.ts";
import { parseTarget, readMessage } from "./incoming_message.ts";

/** Takes the cloud-to-device messages that one client sends. */
export class C2dIntake {
  readonly #backend: AmqpBackend;
  readonly #isCovered: (link: Receiver) => boolean;
  readonly #grant: () => ClientGrant | undefined;

  /** `isCovered` tells whether the client still has the right to a link, and `grant` what it has it by. */
  constructor(
    backend: AmqpBackend,
    isCovered: (link: Receiver) => boolean,
    grant: () => ClientGrant | undefined,
  ) {
    this.#backend = backend;
    this.#isCovered = isCovered;
    this.#grant = grant;
  }

  /** Takes a message from a link for messages to devices and modules. */
  take(context: EventContext): Promise<void> | void {
    const { delivery, receiver } = context;
    // The link has been detached, but the client does not know yet.
    if (!this.#isCovered(receiver!)) return leaveUnanswered(delivery!);
    const planned = this.#backend.faults.takeOutcome();
    if (planned !== undefined && planned.kind !== "ignore") {
      return writeAlone(receiver!, () => applyPlanned(planned, delivery!));
    }
    const { throttle } = this.#backend;
    return throttle === undefined
      ? this.#deliver(context, planned)
      : this.#deliverInTurn(context, planned, throttle.admit("c2dSends", "C2DSend"));
  }

  async #deliverInTurn(
    context: EventContext,
    planned: PlannedOutcome | undefined,
    turn: Promise<void>,
  ): Promise<void> {
    const refusal = await turn.then(() => undefined, (error: HubFault) => error);
    // The client may have gone meanwhile, or may have lost its right.
    if (this.#isCovered(context.receiver!)) this.#deliver(context, planned, refusal);
    else leaveUnanswered(context.delivery!);
  }

  /** Queues a message, unless there is a reason to refuse it, and tells its sender. */
  #deliver(
    { delivery, receiver, message }: EventContext,
    planned: PlannedOutcome | undefined,
    refusal?: HubFault,
  ): void {
    try {
      this.#enqueue(message!, refusal);
      if (planned === undefined) delivery!.accept();
      else leaveUnanswered(delivery!);
    } catch (error) {
      writeAlone(receiver!, () => delivery!.reject(amqpErrorOf(error, this.#backend)));
    }
  }

  #enqueue(message: Message, refusal: HubFault | undefined): void {
    let target: MessageTarget | undefined;
    const grant = this.#grant();
    this.#backend.activity.observe(() => {
      if (refusal !== undefined) throw refusal;
      target = parseTarget(message.to);
      this.#backend.enqueueMessage(target, readMessage(message));
    }, (outcome) => ({
      kind: "operation",
      operation: "sendCloudToDeviceMessage",
      caller: grant && callerOf(grant),
      protocol: "amqp",
      deviceId: target?.deviceId,
      moduleId: target?.moduleId,
      ...outcome,
    }));
  }
}
