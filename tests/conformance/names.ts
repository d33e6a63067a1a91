/** The device that answers direct methods and keeps its messages. */
export const DEVICE = "conformance-device";

/** The module of it that answers direct methods. */
export const MODULE = "conformance-module";

/** How many messages a device's queue holds. */
export const QUEUE_LENGTH = 50;
