import type { DigitalTwin, JsonPatchOperation } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { failure } from "../errors/failures.ts";
import { leastTimeout, METHOD_ADVICE, type MethodTimeouts } from "../requests/method_request.ts";
import type { AnswerHeaders } from "../requests/query_page.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import { API_VERSION, type GeneratedOptions } from "../transport/hub_transport.ts";
import { bareEtag, ifMatch } from "../transport/if_match.ts";
import * as facts from "../transport/operations.ts";
import { checkText } from "../values/checks.ts";
import { checkJson } from "../values/json.ts";
import { checkJsonPatch } from "./json_patch.ts";

/** A digital twin that was read. */
export interface ReadDigitalTwin<T = DigitalTwin> {
  /** The digital twin. */
  digitalTwin: T;
  /** Its version, without quotes. */
  etag: string;
}

/** What the hub says of an update of a digital twin. */
export interface UpdatedDigitalTwin {
  /** The new version of the digital twin, without quotes. */
  etag?: string | undefined;
  /** Where the digital twin can be read. */
  location?: string | undefined;
}

/** The options of a command: the usual ones, and how long the hub waits for the device. */
export interface CommandOptions extends OperationOptions, MethodTimeouts {}

/** A device's answer to a command. */
export interface CommandResult {
  /** The status that the device has chosen. */
  status: number;
  /** What the device has answered: any JSON value, or `undefined` if it was nothing. */
  payload: unknown;
  /** The hub's id of the request. */
  requestId?: string | undefined;
}

/** Devices in the terms of their models: properties, components and commands, as IoT Plug and Play has them. */
export class DigitalTwins extends HubClient {
  /**
   * Reads a device as a digital twin, with the properties of its model at the root, and its components as objects. A device
   * without a model has an empty `$metadata.$model`.
   *
   * @param digitalTwinId The id of the digital twin, which is the device's id.
   * @param options Options for this call.
   * @returns The digital twin, and its version.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   *
   * @example Find out what a device is
   * ```ts
   * import { DigitalTwinClient, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using twins = DigitalTwinClient.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * hub.device("thermostat-1", { modelId: "dtmi:com:example:Thermostat;1" }).onMethod("reboot", () => ({ status: 200 }));
   * const { digitalTwin } = await twins.getDigitalTwin("thermostat-1");
   * console.assert(digitalTwin.$metadata.$model === "dtmi:com:example:Thermostat;1");
   * ```
   *
   * REST operation: `GET /digitaltwins/{id}`.
   */
  getDigitalTwin<T = DigitalTwin>(digitalTwinId: string, options: OperationOptions = {}): Promise<ReadDigitalTwin<T>> {
    return callHub(this, facts.getDigitalTwin, { deviceId: digitalTwinId }, options, async (call) => {
      const { data, response } = await operations.getDigitalTwin({ ...call(), path: { id: digitalTwinId } });
      // Where something on the way has taken the header, the twin is still of use, and an empty etag is refused in a write.
      return { data: { digitalTwin: data as T, etag: etagIn(response.headers) ?? "" } };
    });
  }

  /**
   * Changes properties of a digital twin. The device receives the change as desired properties. Without an etag the update is
   * unconditional.
   *
   * @param digitalTwinId The id of the digital twin, which is the device's id.
   * @param patch The changes, as a JSON Patch: `add`, `replace` and `remove`, each with the `path` of a property.
   * @param options The etag that the digital twin must still have, and options for this call.
   * @returns The new version, and where the digital twin can be read.
   * @throws {TypeError} When an argument has the wrong type, or the patch is none; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `PreconditionFailed` (412) when the etag is no longer current.
   *
   * @example Set a property, if nobody else has written
   * ```ts
   * import { DigitalTwinClient, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using twins = DigitalTwinClient.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * const { etag } = await twins.getDigitalTwin("thermostat-1");
   * await twins.updateDigitalTwin("thermostat-1", [{ op: "add", path: "/targetTemperature", value: 21 }], { etag });
   * const { properties } = await registry.getTwin("thermostat-1");
   * console.assert(properties.desired["targetTemperature"] === 21);
   * ```
   *
   * REST operation: `PATCH /digitaltwins/{id}`.
   */
  updateDigitalTwin(
    digitalTwinId: string,
    patch: JsonPatchOperation[],
    options: OperationOptions & { etag?: string | undefined } = {},
  ): Promise<UpdatedDigitalTwin> {
    return callHub(this, facts.updateDigitalTwin, { deviceId: digitalTwinId }, options, async (call) => {
      checkJsonPatch(patch);
      const { response } = await operations.updateDigitalTwin({
        ...call({ mayBeEmpty: true }),
        path: { id: digitalTwinId },
        headers: ifMatch(options),
        body: patch,
      });
      const location = response.headers.get("location") ?? undefined;
      return { data: { etag: etagIn(response.headers), location } };
    });
  }

  /**
   * Invokes a command of a device, and waits for its answer. The result contains the status that the device returned, whatever
   * it is. The call rejects only if the device does not answer.
   *
   * The hub waits `responseTimeoutInSeconds` (5 to 300, 30 by default) for the answer. If the device is not connected, it
   * waits up to `connectTimeoutInSeconds` (0 to 300, 0 by default) for it to connect.
   *
   * @param digitalTwinId The id of the digital twin, which is the device's id.
   * @param commandName The command's name.
   * @param payload What the command is given: any JSON value, `""` by default.
   * @param options The hub's time-outs, and options for this call.
   * @returns The status and the payload of the device's answer.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `DeviceNotOnline` (404) when the device is not connected, or does not handle commands.
   * @throws {IoTHubError} `GatewayTimeout` (504) when the device did not answer in time. It may still have run the command.
   *
   * @example Reboot a device
   * ```ts
   * import { DigitalTwinClient, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using twins = DigitalTwinClient.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * hub.device("thermostat-1").onMethod("reboot", (payload) => ({ status: 202, payload }));
   * const { status, payload } = await twins.invokeCommand("thermostat-1", "reboot", { delay: 5 });
   * console.assert(status === 202 && (payload as { delay: number }).delay === 5);
   * ```
   *
   * REST operation: `POST /digitaltwins/{id}/commands/{commandName}`.
   */
  invokeCommand(
    digitalTwinId: string,
    commandName: string,
    payload: unknown = "",
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    return invoke(
      this,
      facts.invokeCommand,
      digitalTwinId,
      { commandName },
      payload,
      options,
      (request) => operations.invokeDigitalTwinCommand({ ...request, path: { id: digitalTwinId, commandName } }),
    );
  }

  /**
   * Invokes a command of a component of a device, and waits for its answer. Time-outs and results are as for
   * {@linkcode DigitalTwins.invokeCommand}.
   *
   * @param digitalTwinId The id of the digital twin, which is the device's id.
   * @param componentPath The component's name.
   * @param commandName The command's name.
   * @param payload What the command is given: any JSON value, `""` by default.
   * @param options The hub's time-outs, and options for this call.
   * @returns The status and the payload of the device's answer.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `DeviceNotFound` (404) when there is no such device.
   * @throws {IoTHubError} `DeviceNotOnline` (404) when the device is not connected, or does not handle commands.
   * @throws {IoTHubError} `GatewayTimeout` (504) when the device did not answer in time. It may still have run the command.
   *
   * @example Reset one sensor of a device
   * ```ts
   * import { DigitalTwinClient, IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using twins = DigitalTwinClient.fromConnectionString(hub.connectionString, hub.clientOptions);
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * hub.device("thermostat-1").onMethod("sensor1*reset", () => ({ status: 200 }));
   * const { status } = await twins.invokeComponentCommand("thermostat-1", "sensor1", "reset");
   * console.assert(status === 200);
   * ```
   *
   * REST operation: `POST /digitaltwins/{id}/components/{componentPath}/commands/{commandName}`.
   */
  invokeComponentCommand(
    digitalTwinId: string,
    componentPath: string,
    commandName: string,
    payload: unknown = "",
    options: CommandOptions = {},
  ): Promise<CommandResult> {
    const names = { componentPath, commandName };
    return invoke(
      this,
      facts.invokeComponentCommand,
      digitalTwinId,
      names,
      payload,
      options,
      (request) => operations.invokeDigitalTwinComponentCommand({ ...request, path: { id: digitalTwinId, ...names } }),
    );
  }
}

/** What both kinds of commands send. */
interface CommandRequest extends GeneratedOptions {
  readonly body: unknown;
  query: typeof API_VERSION & {
    connectTimeoutInSeconds?: number | undefined;
    responseTimeoutInSeconds?: number | undefined;
  };
}

/** Invokes a command. Its status is only in a header of the answer, and its body can be any JSON value. */
function invoke(
  client: HubClient,
  operation: facts.OperationFacts,
  digitalTwinId: string,
  names: Readonly<Record<string, string>>,
  payload: unknown,
  options: CommandOptions,
  send: (request: CommandRequest) => Promise<{ data: unknown; response: { headers: AnswerHeaders } }>,
): Promise<CommandResult> {
  return callHub(client, operation, { deviceId: digitalTwinId }, options, async (call) => {
    for (const [name, value] of Object.entries(names)) checkText(name, value, NAME, NAME_RULE);
    checkJson("payload", payload);
    const { connectTimeoutInSeconds, responseTimeoutInSeconds } = options;
    const { data, response: { headers } } = await send({
      ...call({ leastTimeoutInMs: leastTimeout(options), advice: METHOD_ADVICE, accepts, mayBeEmpty: true }),
      query: { connectTimeoutInSeconds, responseTimeoutInSeconds, ...API_VERSION },
      body: payload,
    });
    const status = headers.get("x-ms-command-statuscode") ?? "";
    if (!/^-?\d{1,10}$/.test(status)) {
      const reason = "the hub's answer came without the status of the command";
      throw failure({ operation: operation.name, deviceId: digitalTwinId }, "InvalidResponse", reason, {
        statusCode: 200,
      });
    }
    const requestId = headers.get("x-ms-request-id") ?? undefined;
    return { data: { status: Number(status), payload: data, requestId } };
  });
}

/** A name that a URL can contain. */
const NAME = /^(?!\.{1,2}$)[^\p{Cc}]{1,512}$/u;
const NAME_RULE = "1 to 512 visible characters but not . or ..";

/** Whether an answer is one of a device, which may be any JSON value. */
function accepts(status: number, data: unknown): boolean {
  return status === 200 && data !== undefined;
}

/** Returns the etag of an answer without its quotes. */
function etagIn(headers: AnswerHeaders): string | undefined {
  return bareEtag(headers.get("etag") ?? "");
}
