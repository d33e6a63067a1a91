import os

from azure.iot.device import IoTHubDeviceClient
from azure.iot.hub import IoTHubRegistryManager

text = os.environ["IOTHUB_CS"]
registry = IoTHubRegistryManager.from_connection_string(text)
identity = registry.create_device_with_sas("thermostat", None, None, "enabled")

# Devices take the usual port, and know the hub by its name alone.
host = dict(part.split("=", 1) for part in text.split(";"))["HostName"].split(":")[0]
key = identity.authentication.symmetric_key.primary_key
device = IoTHubDeviceClient.create_from_connection_string(
    f"HostName={host};DeviceId=thermostat;SharedAccessKey={key}"
)
device.connect()
device.send_message("21.5")
print(registry.get_device("thermostat").connection_state)
device.shutdown()
