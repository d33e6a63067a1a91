/** What the hub lets an MQTT client do, signed in or not. */
export const MQTT_LIMITS = {
  /** The bytes of a CONNECT after its fixed header, which comes from somebody unknown. */
  maxConnectBytes: 131_072,
  /** The bytes of any other packet after its fixed header: the largest message of a device with the longest topic. */
  maxPacketBytes: 327_680,
  /** The bytes that have come and are not read, while the hub finds out who the client is. */
  maxUnreadBytes: 1_048_576,
  /** The bytes that wait until the client takes them: more than a full queue of messages holds. */
  maxUnsentBytes: 4_194_304,
  maxUserNameBytes: 4_096,
  maxPasswordBytes: 8_192,
  /** The topic filters of one SUBSCRIBE or UNSUBSCRIBE. */
  maxFilters: 32,
  maxSubscriptions: 5,
  /** The messages to a device that it has not acknowledged. */
  maxUnacknowledged: 100,
  /** The longest keep-alive, which also holds for a client that wants none. */
  maxKeepAliveInSeconds: 1_177,
} as const;

/** How long a client may take until it has signed in. */
export const CONNECT_LIMIT_IN_MS = 30_000;
/** How long a client may take to close after the hub has closed the connection. */
export const CLOSING_LIMIT_IN_MS = 1_000;
/** The sessions that are kept for devices that have gone; beyond it, the oldest are forgotten. */
export const MAX_KEPT_SESSIONS = 100_000;
