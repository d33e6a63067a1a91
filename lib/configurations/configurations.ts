import type {
  Configuration,
  ConfigurationContent,
  ConfigurationQueriesTestInput,
  ConfigurationQueriesTestResponse,
  ConfigurationRequest,
} from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import { API_VERSION } from "../transport/hub_transport.ts";
import { ifMatch } from "../transport/if_match.ts";
import * as facts from "../transport/operations.ts";
import { findDeleted, findWritten } from "../transport/repeated_write.ts";
import { checkWhole } from "../values/checks.ts";
import { checkContent, checkTestInput, configurationBody, isCreated, isUpdated } from "./configuration_body.ts";

/**
 * Configurations: settings that the hub applies by itself to all devices or modules that meet a condition. A deployment of
 * IoT Edge modules is one too.
 */
export class Configurations extends HubClient {
  /**
   * Reads a configuration, with its latest metrics.
   *
   * @param configurationId The configuration's id.
   * @param options Options for this call.
   * @returns The configuration.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When the id is not legal; nothing is sent.
   * @throws {IoTHubError} `ConfigurationNotFound` (404) when there is no such configuration.
   *
   * @example See how many devices a configuration is for
   * ```ts
   * import { IoTHubConfigurationManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const content = { deviceContent: { "properties.desired.interval": 60 } };
   * await registry.createDeviceWithSas("thermostat-1");
   * await configurations.createConfiguration({ id: "interval", content, targetCondition: "*" });
   * await hub.settled(); // a hub in the cloud takes some minutes
   * const { systemMetrics } = await configurations.getConfiguration("interval");
   * console.assert(systemMetrics.results["targetedCount"] === 1);
   * ```
   *
   * REST operation: `GET /configurations/{id}`.
   */
  getConfiguration(configurationId: string, options: OperationOptions = {}): Promise<Configuration> {
    return callHub(
      this,
      facts.getConfiguration,
      { configurationId },
      options,
      (call) => operations.getConfiguration({ ...call(), path: { id: configurationId } }),
    );
  }

  /**
   * Lists the configurations of the hub. There is one page only, since a hub has at most 100 of them.
   *
   * @param options How many to return (`maxCount`), which hubs are known to exceed, and options for this call.
   * @returns The configurations.
   * @throws {TypeError} When an option has the wrong type; nothing is sent.
   * @throws {RangeError} When an option's value is not legal; nothing is sent.
   * @throws {IoTHubError} `IotHubUnauthorizedAccess` (401) when the policy lacks the right `RegistryRead`.
   *
   * @example List the ids
   * ```ts
   * import { IoTHubConfigurationManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const content = { deviceContent: { "properties.desired.interval": 60 } };
   * await configurations.createConfiguration({ id: "interval", content });
   * const ids = (await configurations.getConfigurations({ maxCount: 100 })).map(({ id }) => id);
   * console.assert(ids.join() === "interval");
   * ```
   *
   * REST operation: `GET /configurations`.
   */
  getConfigurations(options: OperationOptions & { maxCount?: number | undefined } = {}): Promise<Configuration[]> {
    return callHub(this, facts.getConfigurations, {}, options, (call) => {
      const { maxCount: top } = options;
      checkWhole("maxCount", top, 1, 2 ** 31 - 1);
      return operations.getConfigurations({ ...call(), query: { top, ...API_VERSION } });
    });
  }

  /**
   * Creates a configuration. The hub applies it in the background, within some minutes, to the devices or modules that meet
   * its `targetCondition`: `"*"` is every device, and no condition is none.
   *
   * @param configuration The configuration: its `id`, its `content` of one of the three kinds, and what else it should have.
   * Members that only the hub writes are left out of the request.
   * @param options Options for this call.
   * @returns The new configuration.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ConfigurationAlreadyExists` (409) when the hub already has a configuration with this id.
   * @throws {IoTHubError} `InvalidConfigurationContent` or `InvalidConfigurationTargetCondition` (400) when the hub does not
   * accept the content or the condition.
   * @throws {IoTHubError} `ConfigurationCountLimitExceeded` (413) when the hub has as many as it may have.
   *
   * @example Set a property of all devices of a site
   * ```ts
   * import { IoTHubConfigurationManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.updateTwin("thermostat-1", { tags: { site: "berlin" } });
   * await configurations.createConfiguration({
   *   id: "berlin-interval",
   *   content: { deviceContent: { "properties.desired.interval": 60 } },
   *   targetCondition: "tags.site = 'berlin'",
   *   priority: 10,
   * });
   * await hub.settled(); // a hub in the cloud takes some minutes
   * const { properties } = await registry.getTwin("thermostat-1");
   * console.assert(properties.desired["interval"] === 60);
   * ```
   *
   * REST operation: `PUT /configurations/{id}`.
   */
  createConfiguration(
    configuration: ConfigurationRequest | Configuration,
    options: OperationOptions = {},
  ): Promise<Configuration> {
    return callHub(this, facts.createConfiguration, {}, options, (call) => {
      const body = configurationBody(configuration);
      const { id } = body;
      const findEarlierWrite = findWritten(body, (readOptions) => this.getConfiguration(id, readOptions), isCreated);
      const request = call({ configurationId: id, findEarlierWrite });
      return operations.createOrUpdateConfiguration({ ...request, path: { id }, body });
    });
  }

  /**
   * Updates a configuration: its target condition, priority, labels, metrics and schema version. All of them are replaced, so
   * that what is left out is reset. The content must be there, and stays as it was created: hubs take another one without an
   * error, and ignore it. Without an etag the update is unconditional.
   *
   * @param configuration The configuration, such as one that was read and changed. Members that only the hub writes are left
   * out of the request, its `etag` among them.
   * @param options The etag that the configuration must still have, and options for this call.
   * @returns The configuration after the update.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ConfigurationNotFound` (404) when there is no such configuration.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   * @throws {IoTHubError} `InvalidConfigurationTargetCondition` (400) when the hub does not accept the condition.
   *
   * @example Raise the priority of a configuration, if nobody else has changed it
   * ```ts
   * import { IoTHubConfigurationManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const content = { deviceContent: { "properties.desired.interval": 60 } };
   * const created = await configurations.createConfiguration({ id: "interval", content });
   * const updated = await configurations.updateConfiguration({ ...created, priority: 20 }, { etag: created.etag });
   * console.assert(updated.priority === 20 && updated.etag !== created.etag);
   * ```
   *
   * REST operation: `PUT /configurations/{id}`.
   */
  updateConfiguration(
    configuration: ConfigurationRequest | Configuration,
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<Configuration> {
    return callHub(this, facts.updateConfiguration, {}, options, (call) => {
      const body = configurationBody(configuration);
      const { id } = body;
      const findEarlierWrite = findWritten(body, (readOptions) => this.getConfiguration(id, readOptions), isUpdated);
      const request = call({ configurationId: id, findEarlierWrite });
      return operations.createOrUpdateConfiguration({ ...request, path: { id }, headers: ifMatch(options), body });
    });
  }

  /**
   * Deletes a configuration. What it has already written to twins may stay there. Without an etag the deletion is
   * unconditional.
   *
   * @param configurationId The configuration's id.
   * @param options The etag that the configuration must still have, and options for this call.
   * @returns A promise that resolves when the configuration is deleted.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ConfigurationNotFound` (404) when there is no such configuration.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Withdraw a configuration
   * ```ts
   * import { IoTHubConfigurationManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const content = { deviceContent: { "properties.desired.interval": 60 } };
   * await configurations.createConfiguration({ id: "interval", content });
   * await configurations.deleteConfiguration("interval");
   * console.assert((await configurations.getConfigurations()).length === 0);
   * ```
   *
   * REST operation: `DELETE /configurations/{id}`.
   */
  async deleteConfiguration(
    configurationId: string,
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<void> {
    await callHub(
      this,
      facts.deleteConfiguration,
      { configurationId },
      options,
      (call) =>
        operations.deleteConfiguration({
          ...call({ mayBeEmpty: true, findEarlierWrite: findDeleted }),
          path: { id: configurationId },
          headers: ifMatch(options),
        }),
    );
  }

  /**
   * Checks the target condition and the metric queries of a configuration before it is written. Faults do not make the call
   * fail; they are in the result. The condition `"*"`, which a configuration may have, counts as a fault here.
   *
   * @param input The condition (`targetCondition`) and the queries by the names of their metrics (`customMetricQueries`).
   * @param options Options for this call.
   * @returns What is wrong: a `targetConditionError`, and `customMetricQueryErrors` by the names of the metrics.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an option's value is not legal; nothing is sent.
   * @throws {IoTHubError} `IotHubUnauthorizedAccess` (401) when the policy lacks the right `RegistryWrite`.
   *
   * @example Find out that a condition is wrong before it is used
   * ```ts
   * import { IoTHubConfigurationManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * const { targetConditionError } = await configurations.testConfigurationQueries({ targetCondition: "tags.site =" });
   * console.assert(targetConditionError !== undefined);
   * ```
   *
   * REST operation: `POST /configurations/testQueries`.
   */
  testConfigurationQueries(
    input: ConfigurationQueriesTestInput,
    options: OperationOptions = {},
  ): Promise<ConfigurationQueriesTestResponse> {
    return callHub(this, facts.testConfigurationQueries, {}, options, (call) => {
      checkTestInput(input);
      return operations.testConfigurationQueries({ ...call(), body: input });
    });
  }

  /**
   * Applies the content of a configuration to one IoT Edge device at once, without a configuration. It replaces the desired
   * properties of the modules that it names, `$edgeAgent` and `$edgeHub` among them. A configuration that targets the device
   * applies again when the hub next evaluates it.
   *
   * @param deviceId The device's id.
   * @param content The content, with `modulesContent`.
   * @param options Options for this call.
   * @returns A promise that resolves when the content is applied.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} With status 400 when it is not an IoT Edge device, or the hub does not accept the content.
   *
   * @example Try modules on one gateway
   * ```ts
   * import { IoTHubConfigurationManager, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using configurations = IoTHubConfigurationManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("gateway-1", { iotEdge: true });
   * await configurations.applyConfigurationOnEdgeDevice("gateway-1", {
   *   modulesContent: { $edgeAgent: { "properties.desired": { schemaVersion: "1.1" } } },
   * });
   * const { properties } = await registry.getModuleTwin("gateway-1", "$edgeAgent");
   * console.assert(properties.desired["schemaVersion"] === "1.1");
   * ```
   *
   * REST operation: `POST /devices/{id}/applyConfigurationContent`.
   */
  async applyConfigurationOnEdgeDevice(
    deviceId: string,
    content: ConfigurationContent,
    options: OperationOptions = {},
  ): Promise<void> {
    await callHub(this, facts.applyConfigurationOnEdgeDevice, { deviceId }, options, (call) => {
      checkContent("content", content);
      const request = call({ mayBeEmpty: true });
      return operations.applyConfigurationOnEdgeDevice({ ...request, path: { id: deviceId }, body: content });
    });
  }
}
