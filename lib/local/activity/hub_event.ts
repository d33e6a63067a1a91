/** By what somebody talks to the hub. `"http"` stands for HTTPS and for `hub.fetch`, too. */
export type LocalHubProtocol = "amqp" | "http" | "inProcess" | "mqtt";

/** What each event tells. */
export interface LocalHubEventBase {
  /** When it was over, by the hub's clock. */
  readonly timeUtc: Date;
}

/** How something has gone. */
export interface LocalHubOutcome {
  /**
   * The status as HTTP has it, over every protocol: 2xx for success, 499 when the caller did not wait for the end, 500
   * for an exception inside the hub.
   */
  readonly status: number;
  /** The hub's name for the error, such as `"DeviceNotFound"`; `undefined` for success. */
  readonly errorCode: string | undefined;
  /** How long it took, in milliseconds by the machine's clock. */
  readonly durationInMs: number;
}

/** The device or module that an event is about. */
export interface LocalHubEventTarget {
  /** The device id. */
  readonly deviceId: string;
  /** The module id; `undefined` for a device. */
  readonly moduleId: string | undefined;
}

/** A back end has asked for something: by a request, or with a message to a device. */
export interface LocalHubOperationEvent extends LocalHubEventBase, LocalHubOutcome {
  /** Tells the events apart. */
  readonly kind: "operation";
  /**
   * The name of the operation of the REST API, such as `"getTwin"`, or `"sendCloudToDeviceMessage"`; `undefined` for a
   * request that is for none.
   */
  readonly operation: string | undefined;
  /**
   * The name of the policy that the caller has a token of, or `"bearer"` for a bearer token; `undefined` for a caller who
   * was not let in.
   */
  readonly caller: string | undefined;
  /** By what the caller talks to the hub. */
  readonly protocol: LocalHubProtocol;
  /** The device that it is about; `undefined` when it is about none, or several. */
  readonly deviceId: string | undefined;
  /** The module that it is about; `undefined` when it is about none, or several. */
  readonly moduleId: string | undefined;
}

/** What devices do. */
export type LocalHubDeviceAct =
  | "sendTelemetry"
  | "readTwin"
  | "updateReportedProperties"
  | "answerMethod"
  | "receiveMessage"
  | "completeMessage"
  | "abandonMessage"
  | "rejectMessage"
  | "beginUpload"
  | "endUpload";

/** A device or module has done something, or tried to. */
export interface LocalHubDeviceActEvent extends LocalHubEventBase, LocalHubOutcome, LocalHubEventTarget {
  /** Tells the events apart. */
  readonly kind: "deviceAct";
  /** What it has done. */
  readonly act: LocalHubDeviceAct;
  /** By what it is connected. */
  readonly protocol: LocalHubProtocol;
  /** The number of the message in the queue of the device, where the act is about one. */
  readonly sequenceNumber?: number | undefined;
  /** The name of the method that was answered. */
  readonly methodName?: string | undefined;
  /** The status that the device has answered the method with. */
  readonly methodStatus?: number | undefined;
}

/**
 * Something has become of a cloud-to-device message without its device: it was queued, it has expired, or it was
 * abandoned ten times and is gone.
 */
export interface LocalHubMessageEvent extends LocalHubEventBase, LocalHubEventTarget {
  /** Tells the events apart. */
  readonly kind: "message";
  /** What has become of it. */
  readonly change: "queued" | "expired" | "deadLettered";
  /** The number of the message in the queue of its device, one higher for each message. */
  readonly sequenceNumber: number;
}

/** A direct method was called, by a back end, a command or a job. */
export interface LocalHubMethodCallEvent extends LocalHubEventBase, LocalHubOutcome, LocalHubEventTarget {
  /** Tells the events apart. */
  readonly kind: "methodCall";
  /** The name of the method. */
  readonly methodName: string;
  /** The status that the device has answered with; `undefined` without an answer. */
  readonly methodStatus: number | undefined;
}

/** A device or module was told of a change of its desired properties. */
export interface LocalHubDesiredChangeEvent extends LocalHubEventBase, LocalHubEventTarget {
  /** Tells the events apart. */
  readonly kind: "desiredChange";
  /** By what it was told. */
  readonly protocol: LocalHubProtocol;
  /** The new `$version` of its desired properties. */
  readonly version: number;
}

/**
 * Why a device is no longer connected: it has gone itself (`"closed"`), with or without a word; it has connected anew
 * (`"replaced"`); its identity was disabled or deleted (`"identityGone"`); what it has signed in with has expired or is
 * void (`"unauthorized"`); or the hub has ended the connection for another reason (`"forced"`), such as silence, a breach
 * of the protocol, or a fault that it was told to cause.
 */
export type LocalHubDisconnectReason = "closed" | "replaced" | "identityGone" | "unauthorized" | "forced";

/** A device or module was connected, or is no longer. */
export interface LocalHubConnectionEvent extends LocalHubEventBase, LocalHubEventTarget {
  /** Tells the events apart. */
  readonly kind: "connection";
  /** Whether it has come or gone. */
  readonly change: "connected" | "disconnected";
  /** By what it is connected, or was. */
  readonly protocol: LocalHubProtocol;
  /** Why it is no longer connected; `undefined` for one that is. */
  readonly reason: LocalHubDisconnectReason | undefined;
}

/**
 * Somebody was not let in, or not to where they wanted. Over HTTP, an event for the operation follows.
 */
export interface LocalHubRefusedSignInEvent extends LocalHubEventBase {
  /** Tells the events apart. */
  readonly kind: "refusedSignIn";
  /** By what they came. */
  readonly protocol: LocalHubProtocol;
  /** The hub's name for the error, such as `"IotHubUnauthorized"`. */
  readonly errorCode: string;
  /** What is wrong, as the client was told where its protocol has room for that. */
  readonly reason: string;
}

/**
 * Something that a local hub has done, or that was done to it. Its `kind` says what else it tells. No event holds a key, a
 * token or a signature, nor the body or the properties of a message, the values of a twin, or the payload of a method.
 */
export type LocalHubEvent =
  | LocalHubOperationEvent
  | LocalHubDeviceActEvent
  | LocalHubMessageEvent
  | LocalHubMethodCallEvent
  | LocalHubDesiredChangeEvent
  | LocalHubConnectionEvent
  | LocalHubRefusedSignInEvent;

/** Is told what a local hub does. */
export type LocalHubEventListener = (event: LocalHubEvent) => void;
