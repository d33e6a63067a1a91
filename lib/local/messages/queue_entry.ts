/** A message in its queue. */
export interface QueueEntry<T> {
  message: T;
  readonly sequenceNumber: number;
  readonly enqueuedTime: number;
  readonly expiryTime: number;
  deliveryCount: number;
  /** `undefined` while the message is not locked. */
  lockToken: string | undefined;
  /** 0 while the message is not locked. */
  lockedUntil: number;
}
