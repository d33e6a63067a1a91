import type { GuardLimits } from "../../amqp_guard/guard_limits.ts";

/** The largest message of a WebSocket. AMQP ignores where one ends, and clients put frames together. */
export const MAX_WEB_SOCKET_MESSAGE = 1_048_576;

/** What the hub lets an AMQP client do, signed in or not. The sizes are those of a real hub. */
export const HUB_LIMITS: GuardLimits = {
  isHub: true,
  maxFrameSize: 65_536,
  maxChunkSize: MAX_WEB_SOCKET_MESSAGE,
  /** A message to a device may have 64 KiB, for which the hub has an answer of its own. */
  maxMessageSize: 262_144,
  maxUnfinishedBytes: 1_048_576,
  channelMax: 1_023,
  handleMax: 63,
  maxLinks: 2_048,
};

/** The shortest idle time-out of a client that is honoured, and the longest that a timer of the library can have. */
export const LEAST_IDLE_TIME_OUT_IN_MS = 100;
export const LONGEST_IDLE_TIME_OUT_IN_MS: number = 2 ** 31;

/** The longest user's name and token with which a client signs in. */
export const MAX_SASL_RESPONSE = 8_192;
/** How many answers and notifications may wait until their link has credit. */
export const MAX_WAITING_MESSAGES = 200;
