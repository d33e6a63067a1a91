/** A name under which the hub reports an error, such as `"DeviceNotFound"`. */
export type HubErrorCode =
  | "GenericBadRequest"
  | "InvalidProtocolVersion"
  | "DeviceInvalidResultCount"
  | "InvalidOperation"
  | "ArgumentInvalid"
  | "ArgumentNull"
  | "IotHubFormatError"
  | "DeviceStorageEntitySerializationError"
  | "BlobContainerValidationError"
  | "ImportWarningExistsError"
  | "InvalidSchemaVersion"
  | "DeviceDefinedMultipleTimes"
  | "DeserializationError"
  | "BulkRegistryOperationFailure"
  | "RequestCanceled"
  | "EtagDoesNotMatch"
  | "RequestTimedOut"
  | "UnsupportedOperationOnReplica"
  | "NullMessage"
  | "ConnectionForcefullyClosedOnNewConnection"
  | "InvalidDeviceScope"
  | "InvalidConfigurationTargetCondition"
  | "InvalidConfigurationContent"
  | "CannotModifyImmutableConfigurationContent"
  | "InvalidConfigurationCustomMetricsQuery"
  | "GenericUnauthorized"
  | "IotHubNotFound"
  | "IotHubUnauthorizedAccess"
  | "IotHubUnauthorized"
  | "SystemModuleModifyUnauthorizedAccess"
  | "GenericForbidden"
  | "IotHubSuspended"
  | "IotHubQuotaExceeded"
  | "JobQuotaExceeded"
  | "DeviceMaximumQueueDepthExceeded"
  | "IotHubMaxCbsTokenExceeded"
  | "DeviceMaximumActiveFileUploadLimitExceeded"
  | "DeviceMaximumQueueSizeExceeded"
  | "RoutingEndpointResponseForbidden"
  | "InvalidMessageExpiryTime"
  | "OperationNotAvailableInCurrentTier"
  | "KeyEncryptionKeyRevoked"
  | "DeviceDisabled"
  | "DeviceMaximumInflightMethodExceeded"
  | "GenericNotFound"
  | "DeviceNotFound"
  | "JobNotFound"
  | "AmqpAddressNotFound"
  | "ModuleNotFound"
  | "DeviceNotOnline"
  | "DeviceConnectionClosedRemotely"
  | "ConfigurationNotFound"
  | "GroupNotFound"
  | "DigitalTwinModelNotFound"
  | "InterfaceNameModelNotFound"
  | "GenericMethodNotAllowed"
  | "OperationNotAllowedInCurrentState"
  | "ImportDevicesNotSupported"
  | "BulkAddDevicesNotSupported"
  | "DeviceAlreadyExists"
  | "LinkCreationConflict"
  | "JobAlreadyExists"
  | "ModuleAlreadyExistsOnDevice"
  | "ConfigurationAlreadyExists"
  | "ApplyConfigurationAlreadyInProgressOnDevice"
  | "PreconditionFailed"
  | "DeviceMessageLockLost"
  | "JobRunPreconditionFailed"
  | "MessageTooLarge"
  | "TooManyDevices"
  | "TooManyModulesOnDevice"
  | "ConfigurationCountLimitExceeded"
  | "GenericUnsupportedMediaType"
  | "IncompatibleDataType"
  | "GenericTooManyRequests"
  | "ThrottlingException"
  | "ThrottleBacklogLimitExceeded"
  | "ThrottlingBacklogTimeout"
  | "ThrottlingMaxActiveJobCountExceeded"
  | "DeviceThrottlingLimitExceeded"
  | "ClientClosedRequest"
  | "ServerError"
  | "GenericTimeout"
  | "GenericBadGateway"
  | "ServiceUnavailable"
  | "PartitionNotFound"
  | "ServerBusy"
  | "IotHubRestoring"
  | "ReceiveLinkOpensThrottled"
  | "DeviceUnavailable"
  | "GatewayTimeout";

/**
 * The hub's error names and their six-digit numbers. The first three digits of a number are the HTTP status that
 * goes with it.
 *
 * The hub says an error now by name, now by number, so that both directions are needed: the client turns a number
 * into the name it reports as `IoTHubError.code`, and the local hub does the reverse.
 */
const HUB_ERROR_NUMBERS: Readonly<Record<HubErrorCode, number>> = {
  GenericBadRequest: 400000,
  InvalidProtocolVersion: 400001,
  DeviceInvalidResultCount: 400002,
  InvalidOperation: 400003,
  ArgumentInvalid: 400004,
  ArgumentNull: 400005,
  IotHubFormatError: 400006,
  DeviceStorageEntitySerializationError: 400007,
  BlobContainerValidationError: 400008,
  ImportWarningExistsError: 400009,
  InvalidSchemaVersion: 400010,
  DeviceDefinedMultipleTimes: 400011,
  DeserializationError: 400012,
  BulkRegistryOperationFailure: 400013,
  RequestCanceled: 400021,
  EtagDoesNotMatch: 400023,
  RequestTimedOut: 400024,
  UnsupportedOperationOnReplica: 400025,
  NullMessage: 400026,
  ConnectionForcefullyClosedOnNewConnection: 400027,
  InvalidDeviceScope: 400028,
  InvalidConfigurationTargetCondition: 400401,
  InvalidConfigurationContent: 400402,
  CannotModifyImmutableConfigurationContent: 400403,
  InvalidConfigurationCustomMetricsQuery: 400404,
  GenericUnauthorized: 401000,
  IotHubNotFound: 401001,
  IotHubUnauthorizedAccess: 401002,
  IotHubUnauthorized: 401003,
  SystemModuleModifyUnauthorizedAccess: 401100,
  GenericForbidden: 403000,
  IotHubSuspended: 403001,
  IotHubQuotaExceeded: 403002,
  JobQuotaExceeded: 403003,
  DeviceMaximumQueueDepthExceeded: 403004,
  IotHubMaxCbsTokenExceeded: 403005,
  DeviceMaximumActiveFileUploadLimitExceeded: 403006,
  DeviceMaximumQueueSizeExceeded: 403007,
  RoutingEndpointResponseForbidden: 403008,
  InvalidMessageExpiryTime: 403009,
  OperationNotAvailableInCurrentTier: 403010,
  KeyEncryptionKeyRevoked: 403011,
  DeviceDisabled: 403012,
  DeviceMaximumInflightMethodExceeded: 403800,
  GenericNotFound: 404000,
  DeviceNotFound: 404001,
  JobNotFound: 404002,
  AmqpAddressNotFound: 404006,
  ModuleNotFound: 404010,
  DeviceNotOnline: 404103,
  DeviceConnectionClosedRemotely: 404104,
  ConfigurationNotFound: 404301,
  GroupNotFound: 404302,
  DigitalTwinModelNotFound: 404401,
  InterfaceNameModelNotFound: 404402,
  GenericMethodNotAllowed: 405000,
  OperationNotAllowedInCurrentState: 405102,
  ImportDevicesNotSupported: 405103,
  BulkAddDevicesNotSupported: 405104,
  DeviceAlreadyExists: 409001,
  LinkCreationConflict: 409002,
  JobAlreadyExists: 409104,
  ModuleAlreadyExistsOnDevice: 409301,
  ConfigurationAlreadyExists: 409401,
  ApplyConfigurationAlreadyInProgressOnDevice: 409402,
  PreconditionFailed: 412001,
  DeviceMessageLockLost: 412002,
  JobRunPreconditionFailed: 412003,
  MessageTooLarge: 413001,
  TooManyDevices: 413002,
  TooManyModulesOnDevice: 413003,
  ConfigurationCountLimitExceeded: 413101,
  GenericUnsupportedMediaType: 415000,
  IncompatibleDataType: 415101,
  GenericTooManyRequests: 429000,
  ThrottlingException: 429001,
  ThrottleBacklogLimitExceeded: 429002,
  ThrottlingBacklogTimeout: 429003,
  ThrottlingMaxActiveJobCountExceeded: 429004,
  DeviceThrottlingLimitExceeded: 429005,
  ClientClosedRequest: 499000,
  ServerError: 500001,
  GenericTimeout: 500008,
  GenericBadGateway: 502000,
  ServiceUnavailable: 503001,
  PartitionNotFound: 503003,
  ServerBusy: 503005,
  IotHubRestoring: 503006,
  ReceiveLinkOpensThrottled: 503008,
  DeviceUnavailable: 503102,
  GatewayTimeout: 504101,
};

/** The hub's six-digit number of an error name, or `undefined` for a name this table does not know. */
export function errorNumberOf(code: string): number | undefined {
  return Object.hasOwn(HUB_ERROR_NUMBERS, code) ? HUB_ERROR_NUMBERS[code as HubErrorCode] : undefined;
}

const NAMES: ReadonlyMap<number, HubErrorCode> = new Map(
  Object.entries(HUB_ERROR_NUMBERS).map(([name, number]) => [number, name as HubErrorCode]),
);

/** The hub's error name for a six-digit number, or `undefined` for a number this table does not know. */
export function errorNameOf(errorNumber: number): HubErrorCode | undefined {
  return NAMES.get(errorNumber);
}
