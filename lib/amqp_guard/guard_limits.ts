/** What one side of a connection lets its peer do. Most of it is advertised to the peer. */
export interface GuardLimits {
  /** Whether this side is the hub, which peers may begin sessions at and authenticate to with SASL. */
  readonly isHub: boolean;
  /** The largest frame in bytes, as advertised in `open`. */
  readonly maxFrameSize: number;
  /** How many bytes may arrive at once, in one message of a WebSocket. */
  readonly maxChunkSize: number;
  /** The largest message in bytes, as advertised with each link that receives. */
  readonly maxMessageSize: number;
  /** How many bytes the unfinished messages of a connection may take together. */
  readonly maxUnfinishedBytes: number;
  /** The highest number of a session, as advertised in `open`. */
  readonly channelMax: number;
  /** The highest number of a link in its session, as advertised in `begin`. */
  readonly handleMax: number;
  /** How many links a connection may have in all its sessions together. */
  readonly maxLinks: number;
}

/** AMQP demands that every peer can take frames of this size. */
export const LEAST_FRAME_SIZE = 512;

/** How deep values may be nested. Real peers stay below ten. */
export const MAX_DEPTH = 32;

/**
 * How many elements without bytes (null, true, 0, an empty list) the arrays of a frame or message may have together.
 * Nothing but this bounds their number, and each would take memory.
 */
export const MAX_EMPTY_ELEMENTS = 256;

/** How many messages one disposition may settle, which is as many as the AMQP library keeps. */
export const MAX_SETTLED_AT_ONCE = 2048;

/** How many messages the dispositions that arrive together may settle, with repetitions. */
export const MAX_SETTLED_IN_TURN = 32_768;

/** What a part of an unfinished message costs in memory besides its bytes. */
export const FRAGMENT_OVERHEAD = 512;

/** AMQP allows no longer tag. */
export const MAX_DELIVERY_TAG = 32;
