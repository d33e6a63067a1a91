"""Registers a device with the SDK for Python, in the environment that the hub's program prints."""

import os

from azure.iot.hub import IoTHubRegistryManager

registry = IoTHubRegistryManager.from_connection_string(os.environ["IOTHUB_CS"])
print(registry.create_device_with_sas("by-python", None, None, "enabled").device_id)
