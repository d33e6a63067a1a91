import type { C2dMessageProperties } from "../messages/c2d_message.ts";
import type { HubClient } from "../transport/hub_client.ts";
import type { OperationOptions } from "../timing/operation_options.ts";
import { wrongType } from "../values/checks.ts";
import { isObject } from "../values/json.ts";
import { checkTarget, type Entry, type Target, type Work } from "./fleet_operation.ts";
import type { FleetSource } from "./fleet_options.ts";
import { type FleetRun, newRun } from "./fleet_run.ts";
import { carryOutOnce, type FleetOnceOptions } from "./carry_out_once.ts";

/** A message to a device or module. */
export interface FleetMessage {
  /** The id of the device. */
  readonly deviceId: string;
  /** The id of the module, if it is for one. */
  readonly moduleId?: string | undefined;
  /** The body, as text that is sent in UTF-8 or as bytes. With its properties it may have up to 64 KB. */
  readonly message: string | Uint8Array;
  /** The properties of the message. Members that are not system properties become application properties. */
  readonly properties?: C2dMessageProperties | undefined;
}

/** What a run over messages needs: the registry manager of the main entry. */
export interface FleetSender extends HubClient {
  /** Sends a message to a device. */
  sendC2dMessage(
    deviceId: string,
    message: string | Uint8Array,
    properties?: C2dMessageProperties,
    options?: OperationOptions,
  ): Promise<void>;
  /** Sends a message to a module of a device. */
  sendC2dMessageToModule(
    deviceId: string,
    moduleId: string,
    message: string | Uint8Array,
    properties?: C2dMessageProperties,
    options?: OperationOptions,
  ): Promise<void>;
}

/**
 * Sends any number of messages to devices and modules. Those for the same device are sent in their order.
 *
 * A message is not sent again if the hub may have got it: it ends as `"unknown"`, and so does one that was in progress when
 * an earlier run with the same journal was killed, unless `repeatUnknown` says otherwise.
 *
 * @param registry The manager.
 * @param messages The messages, each with the id of its device.
 * @param options How fast to go, where to keep what is done, and what to do in the meantime.
 * @returns The run, which begins with the loop over its outcomes.
 * @throws {TypeError} When an argument has the wrong type.
 * @throws {RangeError} When an option's value is not legal. The loop throws it when the journal is that of another run.
 * @throws {IoTHubError} The loop throws it when the run cannot go on: `Unauthorized`, `NetworkError` and others.
 *
 * @example Send two devices a message
 * ```ts
 * import { IoTHubRegistryManager } from "@iothub/registry-manager";
 * import { sendC2dMessages } from "@iothub/registry-manager/fleet";
 * import { LocalHub } from "@iothub/registry-manager/local";
 *
 * await using hub = new LocalHub();
 * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
 *
 * await registry.createDeviceWithSas("meter-1");
 * await registry.createDeviceWithSas("meter-2");
 * const messages = ["meter-1", "meter-2"].map((deviceId) => ({ deviceId, message: "Good morning" }));
 * for await (const { status } of sendC2dMessages(registry, messages)) console.assert(status === "done");
 * console.assert((await registry.getDevice("meter-2")).cloudToDeviceMessageCount === 1);
 * ```
 *
 * Wire: AMQP 1.0, link `/messages/devicebound`; there is no REST operation for it.
 */
export function sendC2dMessages(
  registry: FleetSender,
  messages: FleetSource<FleetMessage>,
  options: FleetOnceOptions = {},
): FleetRun<undefined> {
  const { repeatUnknown = false, ...others } = options;
  const operation = {
    name: "sendC2dMessages",
    methods: ["sendC2dMessage"],
    settings: null,
    batchSize: 1,
    concurrency: 100,
    runsOnce: true,
    targetOf,
    carryOut(entries: readonly Entry<FleetMessage>[], work: Work<FleetMessage, undefined>) {
      const { deviceId, moduleId, item: { message, properties } } = entries[0]!;
      return carryOutOnce("sendC2dMessages", entries, work, repeatUnknown, {
        operation: "c2dSends",
        devices: 1,
        async send(callOptions): Promise<undefined> {
          await (moduleId === undefined
            ? registry.sendC2dMessage(deviceId, message, properties, callOptions)
            : registry.sendC2dMessageToModule(deviceId, moduleId, message, properties, callOptions));
        },
      });
    },
  };
  return newRun(registry, operation, messages, others);
}

function targetOf(message: FleetMessage): Target {
  if (!isObject(message)) throw wrongType("the entry", "an object with a deviceId and a message", message);
  return checkTarget(message as unknown as FleetMessage);
}
