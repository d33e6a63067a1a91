import type { LocalHub, LocalMessage } from "../../lib/local/mod.ts";
import type { FleetDevice } from "./fleet_file.ts";

const ARRIVAL_PATIENCE_IN_MS = 10_000;

/** The fleet's devices themselves, in the process of the embedded hub: what a real hub has out in the field. */
export class EmbeddedDevices {
  readonly #hub: LocalHub;
  readonly #online = new Set<string>();
  readonly #messages = new Map<string, LocalMessage>();
  #onArrival: (() => void) | undefined;

  constructor(hub: LocalHub) {
    this.#hub = hub;
  }

  /** Switches on every enabled device, save each eighth: in every fleet some have lost their power. */
  switchOn(devices: readonly FleetDevice[]): void {
    for (const [index, device] of devices.filter(({ status }) => status === "enabled").entries()) {
      if (index % 8 !== 7) this.#switchOn(device);
    }
  }

  #switchOn({ deviceId, model, hall }: FleetDevice): void {
    const device = this.#hub.device(deviceId);
    this.#online.add(deviceId);
    device.onMethod("readStatus", () => ({ status: 200, payload: { model, hall, healthy: true } }));
    device.onMessage((message) => {
      this.#messages.set(deviceId, message);
      this.#onArrival?.();
    });
    device.onDesiredProperties(async ({ intervalInSeconds, firmware }) => {
      // A camera changes its firmware at night only: until then a query can find it.
      const running = model === "camera" ? { channel: "stable" } : firmware;
      await device.updateReportedProperties({
        ...(intervalInSeconds !== undefined && { intervalInSeconds }),
        ...(firmware !== undefined && { firmware: running }),
      });
    });
  }

  /** Waits until each of the devices that is switched on has a message. Returns the messages that are there. */
  async messages(deviceIds: readonly string[]): Promise<ReadonlyMap<string, LocalMessage>> {
    const expected = deviceIds.filter((deviceId) => this.#online.has(deviceId));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ARRIVAL_PATIENCE_IN_MS);
      this.#onArrival = () => {
        if (!expected.every((deviceId) => this.#messages.has(deviceId))) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onArrival();
    });
    return this.#messages;
  }
}
