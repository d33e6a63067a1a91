/** The codes of CONNACK with which the hub refuses a connection. */
export const UNACCEPTABLE_VERSION = 1;
export const IDENTIFIER_REJECTED = 2;
export const SERVER_UNAVAILABLE = 3;
export const BAD_USER_OR_PASSWORD = 4;
export const NOT_AUTHORIZED = 5;
