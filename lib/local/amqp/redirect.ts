import type { AmqpError } from "./conditions.ts";
import { newTrackingId } from "../fault_listeners.ts";

/** The ports that clients take without being told. */
const USUAL_PORTS: readonly (number | undefined)[] = [5671, 443, undefined];

/**
 * Says where the events of the hub are. On a real hub that is another host, and here it is the same port.
 *
 * @param tail What the client has asked for at `/messages/events`, such as `$management`.
 * @param host The host that the client knows.
 * @param port The port by which it has come. Clients make addresses of the host alone, so that another port than the usual
 * ones is named there as well.
 * @param eventHubName The name of the event hub.
 */
export function redirect(tail: string, host: string, port: number | undefined, eventHubName: string): AmqpError {
  const name = host.replace(/:\d+$/, "");
  const trackingId = newTrackingId();
  const place = port ?? 5671;
  return {
    condition: "amqp:link:redirect",
    description: `The link has to be attached at another place. TrackingId:${trackingId}`,
    info: {
      hostname: USUAL_PORTS.includes(port) ? name : `${name}:${port}`,
      "network-host": name,
      port: place,
      address: `amqps://${name}:${place}/${eventHubName}/${tail}`,
      "com.microsoft:tracking-id": trackingId,
    },
  };
}
