import { type Route, route } from "../rest/routes.ts";
import { abandonMessage, completeMessage, lockMessage } from "./messages.ts";
import { sendTelemetry } from "./telemetry.ts";
import { beginUpload, endUpload } from "./uploads.ts";

/** Every operation of devices over HTTPS. Modules have none. */
export const DEVICE_ROUTES: readonly Route[] = [
  route("sendTelemetry", "POST", "/devices/{}/messages/events", "DeviceConnect", sendTelemetry, { body: "telemetry" }),
  route("receiveMessage", "GET", "/devices/{}/messages/devicebound", "DeviceConnect", lockMessage),
  route("completeMessage", "DELETE", "/devices/{}/messages/devicebound/{}", "DeviceConnect", completeMessage),
  route("abandonMessage", "POST", "/devices/{}/messages/devicebound/{}/abandon", "DeviceConnect", abandonMessage),
  route("beginUpload", "POST", "/devices/{}/files", "DeviceConnect", beginUpload, { body: "upload" }),
  route("endUpload", "POST", "/devices/{}/files/notifications", "DeviceConnect", endUpload, { body: "uploadEnd" }),
  route("endUpload", "POST", "/devices/{}/files/notifications/{}", "DeviceConnect", endUpload, { body: "uploadEnd" }),
];
