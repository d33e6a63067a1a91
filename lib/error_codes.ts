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
 * The names by the hub's six-digit numbers, of those errors that a call of this module can meet over HTTP. The first three
 * digits of a number are the HTTP status that goes with it.
 */
export const HTTP_ERROR_NAMES = {
  400000: "GenericBadRequest",
  400001: "InvalidProtocolVersion",
  400002: "DeviceInvalidResultCount",
  400003: "InvalidOperation",
  400004: "ArgumentInvalid",
  400005: "ArgumentNull",
  400006: "IotHubFormatError",
  400007: "DeviceStorageEntitySerializationError",
  400011: "DeviceDefinedMultipleTimes",
  400012: "DeserializationError",
  400013: "BulkRegistryOperationFailure",
  400021: "RequestCanceled",
  400023: "EtagDoesNotMatch",
  400024: "RequestTimedOut",
  400025: "UnsupportedOperationOnReplica",
  400028: "InvalidDeviceScope",
  401000: "GenericUnauthorized",
  401001: "IotHubNotFound",
  401002: "IotHubUnauthorizedAccess",
  401003: "IotHubUnauthorized",
  401100: "SystemModuleModifyUnauthorizedAccess",
  403000: "GenericForbidden",
  403001: "IotHubSuspended",
  403002: "IotHubQuotaExceeded",
  403010: "OperationNotAvailableInCurrentTier",
  403011: "KeyEncryptionKeyRevoked",
  403012: "DeviceDisabled",
  403800: "DeviceMaximumInflightMethodExceeded",
  404000: "GenericNotFound",
  404001: "DeviceNotFound",
  404010: "ModuleNotFound",
  404103: "DeviceNotOnline",
  404104: "DeviceConnectionClosedRemotely",
  405000: "GenericMethodNotAllowed",
  405104: "BulkAddDevicesNotSupported",
  409001: "DeviceAlreadyExists",
  409301: "ModuleAlreadyExistsOnDevice",
  412001: "PreconditionFailed",
  413001: "MessageTooLarge",
  413002: "TooManyDevices",
  413003: "TooManyModulesOnDevice",
  415000: "GenericUnsupportedMediaType",
  415101: "IncompatibleDataType",
  429000: "GenericTooManyRequests",
  429001: "ThrottlingException",
  429002: "ThrottleBacklogLimitExceeded",
  429003: "ThrottlingBacklogTimeout",
  429005: "DeviceThrottlingLimitExceeded",
  499000: "ClientClosedRequest",
  500001: "ServerError",
  500008: "GenericTimeout",
  502000: "GenericBadGateway",
  503001: "ServiceUnavailable",
  503003: "PartitionNotFound",
  503005: "ServerBusy",
  503006: "IotHubRestoring",
  503102: "DeviceUnavailable",
  504101: "GatewayTimeout",
} as const;

const NAMES: Readonly<Record<number, HubErrorCode>> = HTTP_ERROR_NAMES;

/** The hub's six-digit number of an error name, or `undefined` for a name that no call of this module meets over HTTP. */
export function errorNumberOf(code: string | undefined): number | undefined {
  const entry = Object.entries(NAMES).find(([, name]) => name === code);
  return entry && Number(entry[0]);
}

/** The hub's error name for a six-digit number, or `undefined` for a number that no call of this module meets over HTTP. */
export function errorNameOf(errorNumber: number): HubErrorCode | undefined {
  return NAMES[errorNumber];
}
