/** Registers a device with the SDK for Node, in the environment that the hub's program prints. */
const { Registry } = require("azure-iothub");

const registry = Registry.fromConnectionString(process.env.IOTHUB_CS);
registry.create({ deviceId: "by-node" })
  .then(({ responseBody }) => console.log(responseBody.deviceId))
  .catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
