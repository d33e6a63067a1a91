import { HubFault } from "../hub_fault.ts";

/** How many readers without an owner level may share a partition in a consumer group. */
const MOST_SHARING = 5;

interface EventReceiver {
  readonly epoch: number | undefined;
  /** Ends the link. */
  readonly end: (reason: HubFault) => void;
}

/** The links that read events, of all clients. An owner level, which is called epoch on the wire, makes one exclusive. */
export class EventReceivers {
  readonly #receivers: Map<string, Set<EventReceiver>> = new Map();

  /**
   * Adds a link. One with an owner level ends all others whose level is not higher.
   *
   * @param place Names the partition and the consumer group.
   * @param epoch Its owner level; `undefined` for none.
   * @param end Ends it, when another one takes its place.
   * @returns A function that removes it.
   * @throws {HubFault} `EventReceiverStolen` (409) when another one has a higher level, or `TooManyEventReceivers` (403).
   */
  add(place: string, epoch: number | undefined, end: (reason: HubFault) => void): () => void {
    const others = this.#receivers.get(place) ?? new Set<EventReceiver>();
    for (const other of others) {
      if (other.epoch !== undefined && other.epoch > (epoch ?? -1)) throw lowerEpoch(epoch, other.epoch);
    }
    if (epoch === undefined && others.size >= MOST_SHARING) {
      const text =
        `Exceeded the maximum number of allowed receivers per partition in a consumer group which is ${MOST_SHARING}`;
      throw new HubFault("TooManyEventReceivers", 403, text);
    }
    const receiver = { epoch, end };
    const replaced = epoch === undefined ? [] : [...others];
    if (epoch !== undefined) others.clear();
    this.#receivers.set(place, others.add(receiver));
    for (const other of replaced) other.end(higherEpoch(epoch!, other.epoch));
    return () => {
      others.delete(receiver);
      if (others.size === 0 && this.#receivers.get(place) === others) this.#receivers.delete(place);
    };
  }
}

function higherEpoch(epoch: number, replaced: number | undefined): HubFault {
  return stolen(
    `New receiver 'nil' with higher epoch of '${epoch}' is created hence current receiver 'nil' with epoch ` +
      `'${
        replaced ?? 0
      }' is getting disconnected. If you are recreating the receiver, make sure a higher epoch is used.`,
  );
}

function lowerEpoch(epoch: number | undefined, higher: number): HubFault {
  return stolen(
    `At least one receiver for the endpoint is created with epoch of '${higher}', and so ` +
      `${epoch === undefined ? "non-epoch receiver" : `a receiver with epoch '${epoch}'`} is not allowed. Either ` +
      "reconnect with a higher epoch, or make sure all epoch receivers are closed or disconnected.",
  );
}

function stolen(message: string): HubFault {
  return new HubFault("EventReceiverStolen", 409, message);
}
