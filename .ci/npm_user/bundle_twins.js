/** Reads a twin with the one noun that it needs, from a hub that this file plays. */
import { Twins } from "@iothub/registry-manager/http";

const twins = Twins.fromConnectionString(
  "HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0IHNlY3JldCBzZWNyZXQ=",
  { fetch: () => Promise.resolve(Response.json({ deviceId: "thermostat-1" })) },
);
const { deviceId } = await twins.getTwin("thermostat-1");
await twins.close();
console.log(deviceId);
