import { LineProcess } from "../support/line_process.ts";
import type { EventHubFacts } from "./event_hub.ts";
import type { ReaderFigures } from "./event_reader.ts";
import type { FleetOrder } from "./mqtt_fleet.ts";
import { ROOT } from "./processes.ts";

const DEVICES = 100;
const WARM_UP = 20_000;
const AT_FULL_SPEED = 100_000;
/** With a tenth of what shall be reached, what is measured is the way of an event, and not how long it waits for others. */
const PACED = 10_000;
const PACED_PER_SECOND = 1_000;

/**
 * Lets 100 devices send events by MQTT, with QoS 1, to a hub from which they are read: at full speed, and a thousand a
 * second. Devices, hub and reader are processes of their own, all of the same runtime.
 */
export async function measureEventFleet(command: readonly [string, ...string[]]): Promise<Record<string, number>> {
  await using stack = new AsyncDisposableStack();
  const start = (script: string, ...args: string[]): LineProcess =>
    stack.use(
      new LineProcess([...command, `tests/bench/${script}`, ...args], { cwd: ROOT, env: { NODE_NO_WARNINGS: "1" } }),
    );
  const hub = start("event_hub.ts");
  const { amqp, mqtt, hostName, key } = await hub.read<EventHubFacts>();
  const fleet = start("mqtt_fleet.ts");
  const reader = start("event_reader.ts", String(amqp));

  async function order(order: FleetOrder): Promise<{ cpuInUs: number }> {
    await fleet.write(JSON.stringify(order));
    return await fleet.read();
  }
  async function cpuOfHubInUs(): Promise<number> {
    await hub.write("");
    return await hub.read();
  }
  async function send(count: number, perSecond?: number) {
    await reader.write(String(count));
    await cpuOfHubInUs();
    const devices = await order({ send: count / DEVICES, perSecond });
    const reading = await reader.read<ReaderFigures>();
    return { reading, devices: devices.cpuInUs / count, hub: await cpuOfHubInUs() / count };
  }

  await order({ connect: { hostName, port: mqtt, key }, from: 0, to: DEVICES });
  await send(WARM_UP);
  const full = await send(AT_FULL_SPEED);
  const paced = await send(PACED, PACED_PER_SECOND);
  const rounded = (figure: number): number => Number(figure.toPrecision(3));
  return {
    eventsPerSecond: Math.round(full.reading.perSecond),
    cpuOfDevicesPerEventInUs: rounded(full.devices),
    cpuOfHubPerEventInUs: rounded(full.hub),
    cpuOfReaderPerEventInUs: rounded(full.reading.cpuPerEventInUs),
    eventP50InMs: rounded(paced.reading.p50InMs),
    eventP99InMs: rounded(paced.reading.p99InMs),
  };
}
