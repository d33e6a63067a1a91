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
 * The error names by the two parts of the hub's six-digit numbers: the HTTP status, and three more digits. Number 404001, for
 * example, is `DeviceNotFound`.
 */
const NAMES: Readonly<Record<number, Readonly<Record<number, HubErrorCode>>>> = {
  400: {
    0: "GenericBadRequest",
    1: "InvalidProtocolVersion",
    2: "DeviceInvalidResultCount",
    3: "InvalidOperation",
    4: "ArgumentInvalid",
    5: "ArgumentNull",
    6: "IotHubFormatError",
    7: "DeviceStorageEntitySerializationError",
    8: "BlobContainerValidationError",
    9: "ImportWarningExistsError",
    10: "InvalidSchemaVersion",
    11: "DeviceDefinedMultipleTimes",
    12: "DeserializationError",
    13: "BulkRegistryOperationFailure",
    21: "RequestCanceled",
    23: "EtagDoesNotMatch",
    24: "RequestTimedOut",
    25: "UnsupportedOperationOnReplica",
    26: "NullMessage",
    27: "ConnectionForcefullyClosedOnNewConnection",
    28: "InvalidDeviceScope",
    401: "InvalidConfigurationTargetCondition",
    402: "InvalidConfigurationContent",
    403: "CannotModifyImmutableConfigurationContent",
    404: "InvalidConfigurationCustomMetricsQuery",
  },
  401: {
    0: "GenericUnauthorized",
    1: "IotHubNotFound",
    2: "IotHubUnauthorizedAccess",
    3: "IotHubUnauthorized",
    100: "SystemModuleModifyUnauthorizedAccess",
  },
  403: {
    0: "GenericForbidden",
    1: "IotHubSuspended",
    2: "IotHubQuotaExceeded",
    3: "JobQuotaExceeded",
    4: "DeviceMaximumQueueDepthExceeded",
    5: "IotHubMaxCbsTokenExceeded",
    6: "DeviceMaximumActiveFileUploadLimitExceeded",
    7: "DeviceMaximumQueueSizeExceeded",
    8: "RoutingEndpointResponseForbidden",
    9: "InvalidMessageExpiryTime",
    10: "OperationNotAvailableInCurrentTier",
    11: "KeyEncryptionKeyRevoked",
    12: "DeviceDisabled",
    800: "DeviceMaximumInflightMethodExceeded",
  },
  404: {
    0: "GenericNotFound",
    1: "DeviceNotFound",
    2: "JobNotFound",
    6: "AmqpAddressNotFound",
    10: "ModuleNotFound",
    103: "DeviceNotOnline",
    104: "DeviceConnectionClosedRemotely",
    301: "ConfigurationNotFound",
    302: "GroupNotFound",
    401: "DigitalTwinModelNotFound",
    402: "InterfaceNameModelNotFound",
  },
  405: {
    0: "GenericMethodNotAllowed",
    102: "OperationNotAllowedInCurrentState",
    103: "ImportDevicesNotSupported",
    104: "BulkAddDevicesNotSupported",
  },
  409: {
    1: "DeviceAlreadyExists",
    2: "LinkCreationConflict",
    104: "JobAlreadyExists",
    301: "ModuleAlreadyExistsOnDevice",
    401: "ConfigurationAlreadyExists",
    402: "ApplyConfigurationAlreadyInProgressOnDevice",
  },
  412: {
    1: "PreconditionFailed",
    2: "DeviceMessageLockLost",
    3: "JobRunPreconditionFailed",
  },
  413: {
    1: "MessageTooLarge",
    2: "TooManyDevices",
    3: "TooManyModulesOnDevice",
    101: "ConfigurationCountLimitExceeded",
  },
  415: {
    0: "GenericUnsupportedMediaType",
    101: "IncompatibleDataType",
  },
  429: {
    0: "GenericTooManyRequests",
    1: "ThrottlingException",
    2: "ThrottleBacklogLimitExceeded",
    3: "ThrottlingBacklogTimeout",
    4: "ThrottlingMaxActiveJobCountExceeded",
    5: "DeviceThrottlingLimitExceeded",
  },
  499: {
    0: "ClientClosedRequest",
  },
  500: {
    1: "ServerError",
    8: "GenericTimeout",
  },
  502: {
    0: "GenericBadGateway",
  },
  503: {
    1: "ServiceUnavailable",
    3: "PartitionNotFound",
    5: "ServerBusy",
    6: "IotHubRestoring",
    8: "ReceiveLinkOpensThrottled",
    102: "DeviceUnavailable",
  },
  504: {
    101: "GatewayTimeout",
  },
};

/** Returns the hub's six-digit number for an error name, or `undefined` if the name is not one of the hub's. */
export function errorNumberOf(code: string | undefined): number | undefined {
  for (const [status, names] of Object.entries(NAMES)) {
    const entry = Object.entries(names).find(([, name]) => name === code);
    if (entry !== undefined) return Number(status) * 1000 + Number(entry[0]);
  }
  return undefined;
}

/** Returns the hub's error name for a six-digit number, or `undefined` if the number is not one of the hub's. */
export function errorNameOf(errorNumber: number): HubErrorCode | undefined {
  return NAMES[Math.floor(errorNumber / 1000)]?.[errorNumber % 1000];
}
