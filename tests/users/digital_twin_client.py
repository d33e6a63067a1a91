"""Calls every method of the SDK for Python's DigitalTwinClient, and writes a line of JSON for each check.

Of what it is told about the hub it takes a model, and a device of this model, too. The device answers each command
with the command's name and payload; with the command "report" it reports the payload first.
"""

from sdk_scenarios import HUB, STRANGER, check, connect, equal, refused, report

from azure.iot.hub import DigitalTwinClient, IoTHubRegistryManager

TWIN = HUB["digitalTwin"]
MODEL = HUB["model"]

twins = connect(DigitalTwinClient)
registry = IoTHubRegistryManager.from_connection_string(HUB["connectionString"])
registry.create_device_with_sas(TWIN, None, None, "enabled")
registry.create_device_with_sas("offline", None, None, "enabled")


def add(path, value):
    return [{"op": "add", "path": path, "value": value}]


def etag():
    """The digital twin's etag, which the SDK gives only along with the bare answer."""
    return twins.protocol.digital_twin.get_digital_twin(TWIN, raw=True).headers["ETag"]


@check("a digital twin is read: its model, what it reports, and its components")
def _():
    twins.invoke_command(TWIN, "report", {"serial": "Ä1", "thermostat": {"__t": "c", "max": 25}})
    twin = twins.get_digital_twin(TWIN)
    equal((twin["$dtId"], twin["$metadata"]["$model"]), (TWIN, MODEL))
    equal((twin["serial"], twin["thermostat"]["max"]), ("Ä1", 25))
    assert "lastUpdateTime" in twin["$metadata"]["serial"], twin["$metadata"]


@check("a digital twin is patched: properties and components are wanted, and no longer")
def _():
    equal(twins.update_digital_twin(TWIN, add("/interval", 5)), None)
    equal(twins.update_digital_twin(TWIN, add("/thermostat/target", 21.5)), None)
    wanted = registry.get_twin(TWIN).properties.desired
    equal((wanted["interval"], wanted["thermostat"]), (5, {"__t": "c", "target": 21.5}))
    equal(twins.get_digital_twin(TWIN)["$metadata"]["interval"]["desiredValue"], 5)
    twins.update_digital_twin(
        TWIN, [{"op": "replace", "path": "/interval", "value": 6}, {"op": "remove", "path": "/thermostat/target"}]
    )
    wanted = registry.get_twin(TWIN).properties.desired
    equal((wanted["interval"], "target" in wanted["thermostat"]), (6, False))


@check("a digital twin is patched on the condition of an etag")
def _():
    old = etag()
    answer = twins.protocol.digital_twin.update_digital_twin(TWIN, add("/interval", 7), old, raw=True)
    equal((answer.headers["ETag"], answer.headers["ETag"] == old), (etag(), False))
    assert f"/digitaltwins/{TWIN}" in answer.headers["Location"], answer.headers
    refused(412, "PreconditionFailed", twins.update_digital_twin, TWIN, add("/interval", 8), old)
    twins.update_digital_twin(TWIN, add("/interval", 9), etag())
    twins.update_digital_twin(TWIN, add("/interval", 10), "*")
    equal(registry.get_twin(TWIN).properties.desired["interval"], 10)


@check("a patch that is none, or does not fit, is refused")
def _():
    update = twins.update_digital_twin
    for code, patch in (
        ("InvalidDigitalTwinPatchPath", [{"op": "remove", "path": "/none"}]),
        ("InvalidDigitalTwinPatchPath", add("/$metadata", {})),
        ("InvalidDigitalTwinPatch", [{"op": "test", "path": "/interval", "value": 1}]),
        ("InvalidDigitalTwinJsonPatch", [{"op": "increase", "path": "/interval"}]),
        ("InvalidDigitalTwinJsonPatch", add("interval", 1)),
    ):
        refused(400, code, update, TWIN, patch)
    equal(registry.get_twin(TWIN).properties.desired["interval"], 10)


@check("a command is called with whatever it is given")
def _():
    for payload in ({"in": ["Köln", None]}, [1, 2], "text", 0, False, ""):
        equal(twins.invoke_command(TWIN, "reboot", payload), {"name": "reboot", "payload": payload})
    answer = twins.protocol.digital_twin.invoke_root_level_command(TWIN, "reboot", 1, raw=True)
    equal(answer.headers["x-ms-command-statuscode"], 201)
    assert answer.headers["x-ms-request-id"], answer.headers


@check("a command of a component is called, with time-outs")
def _():
    answer = twins.invoke_component_command(TWIN, "thermostat", "getReport", "2026", 5, 10)
    equal(answer, {"name": "thermostat*getReport", "payload": "2026"})
    equal(twins.invoke_command(TWIN, "reboot", 1, 5, 10), {"name": "reboot", "payload": 1})
    refused(400, "ArgumentInvalid", twins.invoke_command, TWIN, "reboot", 1, 5, 1)
    refused(400, "ArgumentInvalid", twins.invoke_component_command, TWIN, "thermostat", "getReport", 1, 301)


@check("a command that nobody can answer is refused")
def _():
    refused(404, "DeviceNotOnline", twins.invoke_command, "offline", "reboot", 1)
    refused(404, "DeviceNotFound", twins.invoke_command, "nobody", "reboot", 1)
    refused(404, "DeviceNotOnline", twins.invoke_component_command, "offline", "thermostat", "reboot", 1)
    refused(404, "DeviceNotFound", twins.invoke_component_command, "nobody", "thermostat", "reboot", 1)


@check("a digital twin of nobody is neither read nor patched")
def _():
    refused(404, "DeviceNotFound", twins.get_digital_twin, "nobody")
    refused(404, "DeviceNotFound", twins.update_digital_twin, "nobody", add("/interval", 1))


@check("a token credential reads and patches, but calls no command")
def _():
    by_token = connect(DigitalTwinClient, None)
    by_token.update_digital_twin(TWIN, add("/interval", 11))
    equal(by_token.get_digital_twin(TWIN)["$metadata"]["interval"]["desiredValue"], 11)
    refused(401, "IotHubUnauthorizedAccess", by_token.invoke_command, TWIN, "reboot", 1)


@check("a key that is not the hub's is refused")
def _():
    stranger = connect(DigitalTwinClient, STRANGER)
    refused(401, "IotHubUnauthorized", stranger.get_digital_twin, TWIN)
    refused(401, "IotHubUnauthorized", stranger.update_digital_twin, TWIN, add("/interval", 1))


report(DigitalTwinClient)
