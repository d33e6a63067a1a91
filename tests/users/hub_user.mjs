import azureIotDevice from "azure-iot-device";
import azureIotDeviceMqtt from "azure-iot-device-mqtt";
import azureIothub from "azure-iothub";
import process from "node:process";

const { IOTHUB_CS } = process.env;
const registry = azureIothub.Registry.fromConnectionString(IOTHUB_CS);
const { responseBody: identity } = await registry.create({ deviceId: "thermostat" });

// Devices take the usual port, and know the hub by its name alone.
const { HostName } = azureIothub.ConnectionString.parse(IOTHUB_CS);
const key = identity.authentication.symmetricKey.primaryKey;
const connectionString = `HostName=${HostName.split(":")[0]};DeviceId=thermostat;SharedAccessKey=${key}`;
const device = azureIotDevice.Client.fromConnectionString(connectionString, azureIotDeviceMqtt.Mqtt);
await device.open();
await device.sendEvent(new azureIotDevice.Message("21.5"));
console.log((await registry.get("thermostat")).responseBody.connectionState);
await device.close();
