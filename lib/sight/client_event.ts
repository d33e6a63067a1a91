/** What each event tells. */
export interface ClientEventBase {
  /** When it happened, by this machine's clock. */
  readonly timeUtc: Date;
}

/** What each event of a call tells. */
export interface ClientCallEventBase extends ClientEventBase {
  /** Tells calls apart. The clients that share their connections count together, from 1. */
  readonly callId: number;
  /** The method's name, such as `"getTwin"`. */
  readonly operation: string;
  /** The device that the call is about, if it is about one. */
  readonly deviceId?: string | undefined;
  /** The module that the call is about, if it is about one. */
  readonly moduleId?: string | undefined;
  /** The configuration that the call is about, if it is about one. */
  readonly configurationId?: string | undefined;
  /** The job that the call is about, if it is about one. */
  readonly jobId?: string | undefined;
}

/** What has gone wrong. */
export interface ClientEventFailure {
  /** The code of the `IoTHubError`, or `"Aborted"`. */
  readonly errorCode: string;
  /** The message of the `IoTHubError`, without any secret. A call that was aborted has none. */
  readonly message: string;
}

/** A call has begun. Its arguments were in order: a call that is refused for those has no events. */
export interface ClientCallBegunEvent extends ClientCallEventBase {
  /** Tells the events apart. */
  readonly kind: "callBegun";
  /** The noun that has the method, such as `"Twins"`. */
  readonly noun: string;
  /** By what the call is made. */
  readonly protocol: "amqp" | "http";
}

/**
 * A call waits: for its turn, as the client's `limits` want it (`"limit"`); or to be repeated, after an error that may pass
 * (`"retry"`) or since the hub has asked for fewer requests (`"throttle"`).
 */
export interface ClientCallWaitingEvent extends ClientCallEventBase, Partial<ClientEventFailure> {
  /** Tells the events apart. */
  readonly kind: "callWaiting";
  /** What the call waits for. */
  readonly reason: "limit" | "retry" | "throttle";
  /** How long it will wait, in milliseconds; left out for `"limit"`, where that depends on other calls. */
  readonly waitInMs?: number | undefined;
}

/** A request or a message was handed to the connection. It is so again with each repetition. */
export interface ClientCallSentEvent extends ClientCallEventBase {
  /** Tells the events apart. */
  readonly kind: "callSent";
  /** 1 at first, and one more for each repetition. */
  readonly attempt: number;
  /** How long it has taken since the call began, or was last sent, in milliseconds: for tokens, limits, waits. */
  readonly waitedInMs: number;
  /** The HTTP method. */
  readonly method?: string | undefined;
  /** The URL of the request. */
  readonly url?: string | undefined;
  /** The path as the REST API describes it, such as `"/twins/{id}"`. */
  readonly route?: string | undefined;
  /** The id of the message. */
  readonly messageId?: string | undefined;
}

/** The hub has answered a request, or has given its verdict on a message. */
export interface ClientCallAnsweredEvent extends ClientCallEventBase, Partial<ClientEventFailure> {
  /** Tells the events apart. */
  readonly kind: "callAnswered";
  /** Which sending this is the answer to. */
  readonly attempt: number;
  /** How long the answer has taken, in milliseconds. */
  readonly durationInMs: number;
  /** The HTTP status. */
  readonly status?: number | undefined;
  /** The hub's own id of the request (`x-ms-request-id`), if it tells it. */
  readonly requestId?: string | undefined;
}

/** A call has ended: well, if there is no `errorCode`. */
export interface ClientCallEndedEvent extends ClientCallEventBase, Partial<ClientEventFailure> {
  /** Tells the events apart. */
  readonly kind: "callEnded";
  /** How often it was sent. */
  readonly attempts: number;
  /** How long it has taken in all, in milliseconds. */
  readonly durationInMs: number;
}

/** What each event of a token tells. */
export interface ClientTokenEventBase extends ClientEventBase {
  /** The host name that the token is for or, with a token credential, its scope. */
  readonly audience: string;
  /** Whose token it is, such as `the policy "service"`. */
  readonly signedInAs: string;
}

/** A token was signed, or a credential has given one. It serves all calls until it is renewed. */
export interface ClientTokenMadeEvent extends ClientTokenEventBase {
  /** Tells the events apart. */
  readonly kind: "tokenMade";
  /** How long that has taken, in milliseconds. */
  readonly durationInMs: number;
  /** When it expires. */
  readonly expiresOn: Date;
}

/** A credential has given no token, or none that can be used. */
export interface ClientTokenFailedEvent extends ClientTokenEventBase {
  /** Tells the events apart. */
  readonly kind: "tokenFailed";
  /** How long that has taken, in milliseconds. */
  readonly durationInMs: number;
  /** Why, without any secret. */
  readonly message: string;
}

/** The hub has refused a token. */
export interface ClientTokenRefusedEvent extends ClientTokenEventBase {
  /** Tells the events apart. */
  readonly kind: "tokenRefused";
}

/** What each event of an AMQP connection tells. */
export interface ClientConnectionEventBase extends ClientEventBase {
  /** Tells the connections of a client apart: 1 for the first one. */
  readonly connectionId: number;
  /** Where it leads, such as `"amqps://myhub.azure-devices.net:5671"`. */
  readonly endpoint: string;
}

/** An AMQP connection is being opened. */
export interface ClientConnectionOpeningEvent extends ClientConnectionEventBase {
  /** Tells the events apart. */
  readonly kind: "connectionOpening";
}

/** An AMQP connection is open, and the hub has accepted the token. */
export interface ClientConnectionOpenedEvent extends ClientConnectionEventBase {
  /** Tells the events apart. */
  readonly kind: "connectionOpened";
  /** How long that has taken, in milliseconds. */
  readonly durationInMs: number;
}

/** An AMQP connection was lost, or could not be opened. It is replaced when it is needed again. */
export interface ClientConnectionLostEvent extends ClientConnectionEventBase, ClientEventFailure {
  /** Tells the events apart. */
  readonly kind: "connectionLost";
}

/** An AMQP connection was closed by this side: with its client, or since nobody needs it. */
export interface ClientConnectionClosedEvent extends ClientConnectionEventBase {
  /** Tells the events apart. */
  readonly kind: "connectionClosed";
}

/** A link for messages was attached: the hub lets this client send or receive at an address. */
export interface ClientLinkAttachedEvent extends ClientConnectionEventBase {
  /** Tells the events apart. */
  readonly kind: "linkAttached";
  /** The address, such as `"/messages/devicebound"`. */
  readonly address: string;
}

/** The hub has closed a link for messages, or has refused it, while the connection stays open. */
export interface ClientLinkLostEvent extends ClientConnectionEventBase, ClientEventFailure {
  /** Tells the events apart. */
  readonly kind: "linkLost";
  /** The address, such as `"/messages/devicebound"`. */
  readonly address: string;
}

/**
 * A loop has received a message or an event, or has settled a message: it told the hub that it is done with it, or gave it
 * back.
 */
export interface ClientMessageEvent extends ClientEventBase {
  /** Tells the events apart. */
  readonly kind: "messageReceived" | "messageCompleted" | "messageReturned";
  /** The method's name, such as `"receiveFeedback"`. */
  readonly operation: string;
  /**
   * The address of the queue or of the partition, such as `"/messages/serviceBound/feedback"` or
   * `"myhub/ConsumerGroups/$Default/Partitions/0"`.
   */
  readonly address: string;
  /** How long the loop has waited for it, in milliseconds; only of one that was received. */
  readonly waitedInMs?: number | undefined;
}

/** What becomes of an AMQP connection. */
export type ClientConnectionEvent =
  | ClientConnectionOpeningEvent
  | ClientConnectionOpenedEvent
  | ClientConnectionLostEvent
  | ClientConnectionClosedEvent
  | ClientLinkAttachedEvent
  | ClientLinkLostEvent;

/**
 * Something that a client does, or that is done to it. Its `kind` says what else it tells. No event holds a key, a token or
 * a signature, nor anything of a body.
 */
export type ClientEvent =
  | ClientConnectionEvent
  | ClientCallBegunEvent
  | ClientCallWaitingEvent
  | ClientCallSentEvent
  | ClientCallAnsweredEvent
  | ClientCallEndedEvent
  | ClientTokenMadeEvent
  | ClientTokenFailedEvent
  | ClientTokenRefusedEvent
  | ClientMessageEvent;

/** An event without what every event has. */
export type ClientEventContent = Without<"timeUtc", ClientEvent>;

/** An event of a connection without what every such event has. */
export type ConnectionEventContent = Without<keyof ClientConnectionEventBase, ClientConnectionEvent>;

type Without<Name extends string, T> = T extends unknown ? Omit<T, Name> : never;

/** Is told what a client does. What it returns is ignored. */
export type ClientEventListener = (event: ClientEvent) => unknown;
