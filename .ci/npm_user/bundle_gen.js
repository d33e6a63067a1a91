/** Calls a generated function in a bundle. */
import { createClient, getTwin } from "@iothub/registry-manager/gen";

const client = createClient({
  baseUrl: "https://hub.example",
  fetch: () => Promise.resolve(Response.json({ deviceId: "thermostat-1" })),
});
const { data } = await getTwin({ client, path: { id: "thermostat-1" }, query: { "api-version": "2021-04-12" } });
console.log(data.deviceId);
