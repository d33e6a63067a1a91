import type { GuardLimits } from "../amqp_guard/guard_limits.ts";

/** The largest message of a WebSocket. AMQP ignores where one ends, and hubs put frames together. */
const MAX_WEB_SOCKET_MESSAGE = 1_048_576;

/** What a client lets the hub do, or whoever is in its place. */
export const CLIENT_LIMITS: GuardLimits = {
  isHub: false,
  maxFrameSize: 65_536,
  maxChunkSize: MAX_WEB_SOCKET_MESSAGE,
  /** A batch of feedback has 64 records, and the token node's replies are short. */
  maxMessageSize: 1_048_576,
  maxUnfinishedBytes: 4_194_304,
  channelMax: 255,
  handleMax: 255,
  maxLinks: 1_024,
};

/** Heartbeats are not sent more often than this, whatever the hub asks for. */
export const LEAST_HEARTBEAT_INTERVAL_IN_MS = 50;
