import { type Route, route } from "../rest/routes.ts";
import { abandonMessage, completeMessage, lockMessage } from "./messages.ts";
import { sendTelemetry } from "./telemetry.ts";
import { beginUpload, endUpload } from "./uploads.ts";

/** Every operation of devices over HTTPS. Modules have none. */
export const DEVICE_ROUTES: readonly Route[] = [
  route("POST", "/devices/{}/messages/events", "DeviceConnect", sendTelemetry, { body: "telemetry" }),
  route("GET", "/devices/{}/messages/devicebound", "DeviceConnect", lockMessage),
  route("DELETE", "/devices/{}/messages/devicebound/{}", "DeviceConnect", completeMessage),
  route("POST", "/devices/{}/messages/devicebound/{}/abandon", "DeviceConnect", abandonMessage),
  route("POST", "/devices/{}/files", "DeviceConnect", beginUpload, { body: "upload" }),
  route("POST", "/devices/{}/files/notifications", "DeviceConnect", endUpload, { body: "uploadEnd" }),
  route("POST", "/devices/{}/files/notifications/{}", "DeviceConnect", endUpload, { body: "uploadEnd" }),
];
