import { errorNameOf, errorNumberOf, type HTTP_ERROR_NAMES, type HubErrorCode } from "./error_codes.ts";

/** Names that no call of this module meets over HTTP. */
type OtherErrorCode = Exclude<HubErrorCode, typeof HTTP_ERROR_NAMES[keyof typeof HTTP_ERROR_NAMES]>;

/** The hub's six-digit numbers of jobs, configurations, uploads, messages and others; apart, so that HTTP users need not load them. */
const OTHER_ERROR_NUMBERS: Readonly<Record<OtherErrorCode, number>> = {
  BlobContainerValidationError: 400008,
  ImportWarningExistsError: 400009,
  InvalidSchemaVersion: 400010,
  NullMessage: 400026,
  ConnectionForcefullyClosedOnNewConnection: 400027,
  InvalidConfigurationTargetCondition: 400401,
  InvalidConfigurationContent: 400402,
  CannotModifyImmutableConfigurationContent: 400403,
  InvalidConfigurationCustomMetricsQuery: 400404,
  JobQuotaExceeded: 403003,
  DeviceMaximumQueueDepthExceeded: 403004,
  IotHubMaxCbsTokenExceeded: 403005,
  DeviceMaximumActiveFileUploadLimitExceeded: 403006,
  DeviceMaximumQueueSizeExceeded: 403007,
  RoutingEndpointResponseForbidden: 403008,
  InvalidMessageExpiryTime: 403009,
  JobNotFound: 404002,
  AmqpAddressNotFound: 404006,
  ConfigurationNotFound: 404301,
  GroupNotFound: 404302,
  DigitalTwinModelNotFound: 404401,
  InterfaceNameModelNotFound: 404402,
  OperationNotAllowedInCurrentState: 405102,
  ImportDevicesNotSupported: 405103,
  LinkCreationConflict: 409002,
  JobAlreadyExists: 409104,
  ConfigurationAlreadyExists: 409401,
  ApplyConfigurationAlreadyInProgressOnDevice: 409402,
  DeviceMessageLockLost: 412002,
  JobRunPreconditionFailed: 412003,
  ConfigurationCountLimitExceeded: 413101,
  ThrottlingMaxActiveJobCountExceeded: 429004,
  ReceiveLinkOpensThrottled: 503008,
};

/** The hub's six-digit number of an error name, or `undefined` for a name that is none of the hub's. */
export function anyErrorNumberOf(code: string): number | undefined {
  return errorNumberOf(code) ??
    (Object.hasOwn(OTHER_ERROR_NUMBERS, code) ? OTHER_ERROR_NUMBERS[code as OtherErrorCode] : undefined);
}

/** The hub's error name for a six-digit number, or `undefined` for a number that is none of the hub's. */
export function anyErrorNameOf(errorNumber: number): HubErrorCode | undefined {
  const entry = Object.entries(OTHER_ERROR_NUMBERS).find(([, number]) => number === errorNumber);
  return errorNameOf(errorNumber) ?? entry?.[0] as OtherErrorCode | undefined;
}
