"""Calls every method of the SDK for Python's IoTHubRegistryManager, and writes a line of JSON for each check.

Of what it is told about the hub it takes the ports for AMQP and for WebSockets too, and a device and a module that
answer direct methods and keep their messages.
"""

import base64
import time

from sdk_scenarios import HOST, HUB, STRANGER, HubCredential, Recorded, check, equal, refused, report

import certifi  # noqa: E402

# The AMQP library reads this file, and no variable of the environment.
certifi.where = lambda: HUB["certificates"]

import uamqp  # noqa: E402

# It knows no other ports by its own means.
uamqp.constants.DEFAULT_AMQPS_PORT = HUB["amqpPort"]
uamqp.constants.DEFAULT_AMQP_WSS_PORT = HUB["webSocketPort"]

from azure.iot.hub import IoTHubRegistryManager  # noqa: E402
from azure.iot.hub.models import (  # noqa: E402
    AuthenticationMechanism,
    CloudToDeviceMethod,
    DeviceCapabilities,
    ExportImportDevice,
    PropertyContainer,
    QuerySpecification,
    SymmetricKey,
    Twin,
    TwinProperties,
)
from uamqp import TransportType  # noqa: E402

DEVICE = HUB["device"]
MODULE = HUB["module"]
KEY_1 = base64.b64encode(b"1" * 32).decode()
KEY_2 = base64.b64encode(b"2" * 64).decode()
THUMBPRINT_1 = "A1" * 20
THUMBPRINT_2 = "b2" * 32
TRANSPORTS = [TransportType.Amqp, TransportType.AmqpOverWebsocket]


class RecordedManager(Recorded):
    """A manager that notes which of its methods are called."""

    def close(self):
        """Ends its connection for messages, which its destructor would do too late."""
        self._target.amqp_svc_client.disconnect_sync()
        self._target.amqp_svc_client = None


def connect(transport_type=TransportType.Amqp, connection_string=HUB["connectionString"]):
    factory = Recorded(IoTHubRegistryManager)
    return RecordedManager(factory.from_connection_string(connection_string, transport_type=transport_type))


def without_metadata(section):
    return {key: value for key, value in section.items() if not key.startswith("$")}


def registry_of(run):
    """Gives a check the manager that all of them share."""
    return lambda: run(shared)


shared = connect()
managers = [shared]


@check("the device and the module that answer are made")
@registry_of
def _(registry):
    registry.create_device_with_sas(DEVICE, None, None, "enabled")
    registry.create_module_with_sas(DEVICE, MODULE, None, None, None)


@check("a device with keys is made, and read as it was made")
@registry_of
def _(registry):
    made = registry.create_device_with_sas("sas", KEY_1, KEY_2, "disabled", status_reason="in the box")
    read = registry.get_device("sas")
    for device in (made, read):
        equal((device.device_id, device.status, device.status_reason), ("sas", "disabled", "in the box"))
        keys = device.authentication.symmetric_key
        equal((device.authentication.type, keys.primary_key, keys.secondary_key), ("sas", KEY_1, KEY_2))
        equal((device.capabilities.iot_edge, device.connection_state), (False, "Disconnected"))
    equal(made.etag, read.etag)


@check("a device without keys is given some")
@registry_of
def _(registry):
    keys = registry.create_device_with_sas("keyless", None, None, "enabled").authentication.symmetric_key
    equal([len(base64.b64decode(key)) for key in (keys.primary_key, keys.secondary_key)], [32, 32])


@check("a device with thumbprints is made")
@registry_of
def _(registry):
    authentication = registry.create_device_with_x509("x509", THUMBPRINT_1, THUMBPRINT_1, "enabled").authentication
    thumbprints = authentication.x509_thumbprint
    equal(authentication.type, "selfSigned")
    equal((thumbprints.primary_thumbprint, thumbprints.secondary_thumbprint), (THUMBPRINT_1, THUMBPRINT_1))


@check("a device with a certificate authority is made")
@registry_of
def _(registry):
    device = registry.create_device_with_certificate_authority("authority", "enabled")
    equal(device.authentication.type, "certificateAuthority")


@check("an Edge device is made, and one that is its child")
@registry_of
def _(registry):
    edge = registry.create_device_with_sas("edge", None, None, "enabled", True)
    equal(edge.capabilities.iot_edge, True)
    child = registry.create_device_with_sas("child", None, None, "enabled", device_scope=edge.device_scope)
    equal((child.device_scope, child.parent_scopes), (edge.device_scope, [edge.device_scope]))


@check("a device whose id has every legal character is made, read and deleted")
@registry_of
def _(registry):
    device_id = "Az09-:.+%_#*?!(),=@;$'"
    equal(registry.create_device_with_sas(device_id, None, None, "enabled").device_id, device_id)
    equal(registry.get_device(device_id).device_id, device_id)
    registry.delete_device(device_id)


@check("a device that is there already is not made")
@registry_of
def _(registry):
    refused(409, "DeviceAlreadyExists", registry.create_device_with_sas, "sas", KEY_1, KEY_2, "enabled")


@check("a device with one key alone, or with a key that is none, is not made")
@registry_of
def _(registry):
    refused(400, "ArgumentInvalid", registry.create_device_with_sas, "bad", KEY_1, None, "enabled")
    refused(400, "ArgumentInvalid", registry.create_device_with_sas, "bad", "c2hvcnQ=", "c2hvcnQ=", "enabled")


@check("keys are renewed on the condition of an etag")
@registry_of
def _(registry):
    before = registry.get_device("sas")
    after = registry.update_device_with_sas("sas", before.etag, KEY_2, KEY_1, "enabled")
    keys = after.authentication.symmetric_key
    equal((keys.primary_key, keys.secondary_key, after.status), (KEY_2, KEY_1, "enabled"))
    refused(412, "PreconditionFailed", registry.update_device_with_sas, "sas", before.etag, KEY_1, KEY_2, "enabled")
    equal(registry.get_device("sas").etag, after.etag)


@check("thumbprints are renewed, without a condition")
@registry_of
def _(registry):
    device = registry.update_device_with_x509("x509", None, THUMBPRINT_2, THUMBPRINT_2, "disabled")
    equal((device.status, device.authentication.x509_thumbprint.primary_thumbprint), ("disabled", THUMBPRINT_2))


@check("a device with a certificate authority is disabled")
@registry_of
def _(registry):
    etag = registry.get_device("authority").etag
    device = registry.update_device_with_certificate_authority("authority", etag, "disabled", status_reason="lost")
    equal((device.status, device.status_reason), ("disabled", "lost"))


@check("a device that is not there is neither read, updated nor deleted")
@registry_of
def _(registry):
    missing = (404, "DeviceNotFound")
    refused(*missing, registry.get_device, "nobody")
    refused(*missing, registry.update_device_with_sas, "nobody", None, KEY_1, KEY_2, "enabled")
    refused(*missing, registry.delete_device, "nobody")


@check("a device is deleted on the condition of an etag, and without one")
@registry_of
def _(registry):
    old = registry.create_device_with_sas("gone", None, None, "enabled").etag
    new = registry.update_device_with_sas("gone", old, KEY_1, KEY_2, "enabled").etag
    refused(412, "PreconditionFailed", registry.delete_device, "gone", old)
    registry.delete_device("gone", new)
    registry.create_device_with_sas("gone", None, None, "enabled")
    registry.delete_device("gone")
    refused(404, "DeviceNotFound", registry.get_device, "gone")


@check("devices are listed, up to a number")
@registry_of
def _(registry):
    ids = {device.device_id for device in registry.get_devices()}
    assert {"sas", "keyless", "x509", "authority", "edge", "child", DEVICE} <= ids, ids
    equal(len(registry.get_devices(3)), 3)


@check("modules are made with keys, thumbprints and a certificate authority")
@registry_of
def _(registry):
    module = registry.create_module_with_sas("sas", "m-sas", "me", KEY_1, KEY_2)
    equal((module.device_id, module.module_id, module.managed_by), ("sas", "m-sas", "me"))
    equal(module.authentication.symmetric_key.primary_key, KEY_1)
    module = registry.create_module_with_x509("sas", "m-x509", None, THUMBPRINT_1, THUMBPRINT_1)
    equal(module.authentication.x509_thumbprint.secondary_thumbprint, THUMBPRINT_1)
    module = registry.create_module_with_certificate_authority("sas", "m-authority", "me")
    equal(module.authentication.type, "certificateAuthority")


@check("modules are read, one and all")
@registry_of
def _(registry):
    equal(registry.get_module("sas", "m-sas").managed_by, "me")
    equal({module.module_id for module in registry.get_modules("sas")}, {"m-sas", "m-x509", "m-authority"})
    equal(registry.get_modules("keyless"), [])


@check("modules are updated, on the condition of an etag or without one")
@registry_of
def _(registry):
    old = registry.get_module("sas", "m-sas").etag
    module = registry.update_module_with_sas("sas", "m-sas", "you", old, KEY_2, KEY_1)
    equal((module.managed_by, module.authentication.symmetric_key.primary_key), ("you", KEY_2))
    refused(
        412, "PreconditionFailed", registry.update_module_with_sas, "sas", "m-sas", "you", old, KEY_1, KEY_2
    )
    module = registry.update_module_with_x509("sas", "m-x509", "you", None, THUMBPRINT_2, THUMBPRINT_2)
    equal(module.authentication.x509_thumbprint.primary_thumbprint, THUMBPRINT_2)
    etag = registry.get_module("sas", "m-authority").etag
    equal(registry.update_module_with_certificate_authority("sas", "m-authority", None, etag).managed_by, None)


@check("modules are deleted, and missing ones are not found")
@registry_of
def _(registry):
    registry.delete_module("sas", "m-x509", registry.get_module("sas", "m-x509").etag)
    registry.delete_module("sas", "m-authority")
    refused(404, "ModuleNotFound", registry.get_module, "sas", "m-x509")
    refused(404, "ModuleNotFound", registry.delete_module, "sas", "m-authority")
    refused(409, "ModuleAlreadyExistsOnDevice", registry.create_module_with_sas, "sas", "m-sas", None, None, None)


@check("the statistics count devices")
@registry_of
def _(registry):
    statistics = registry.get_device_registry_statistics()
    equal(statistics.total_device_count, len(registry.get_devices()))
    equal(statistics.enabled_device_count + statistics.disabled_device_count, statistics.total_device_count)
    equal(registry.get_service_statistics().connected_device_count, 1)


@check("devices are made, updated and deleted in bulk")
@registry_of
def _(registry):
    authentication = AuthenticationMechanism(
        type="sas", symmetric_key=SymmetricKey(primary_key=KEY_1, secondary_key=KEY_2)
    )
    ids = [f"bulk-{number}" for number in range(100)]
    made = registry.bulk_create_or_update_devices(
        [
            ExportImportDevice(
                id=device_id,
                import_mode="create",
                status="enabled",
                authentication=authentication,
                capabilities=DeviceCapabilities(iot_edge=False),
                tags={"site": "Köln"},
                properties=PropertyContainer(desired={"interval": 5}),
            )
            for device_id in ids
        ]
    )
    equal((made.is_successful, made.errors, made.warnings), (True, [], []))
    twin = registry.get_twin(ids[99])
    equal((twin.tags, without_metadata(twin.properties.desired)), ({"site": "Köln"}, {"interval": 5}))
    updates = [ExportImportDevice(id=device_id, import_mode="update", status="disabled") for device_id in ids]
    equal(registry.bulk_create_or_update_devices(updates).is_successful, True)
    equal(registry.get_device(ids[0]).status, "disabled")
    deletions = [ExportImportDevice(id=device_id, import_mode="delete") for device_id in ids]
    equal(registry.bulk_create_or_update_devices(deletions).is_successful, True)
    refused(404, "DeviceNotFound", registry.get_device, ids[0])


@check("what fails in bulk is told by device")
@registry_of
def _(registry):
    result = registry.bulk_create_or_update_devices(
        [
            ExportImportDevice(id="bulk-new", import_mode="create", status="enabled"),
            ExportImportDevice(id="sas", import_mode="create", status="enabled"),
        ]
    )
    equal(result.is_successful, False)
    equal([(error.device_id, error.error_code) for error in result.errors], [("sas", "DeviceAlreadyExists")])
    registry.delete_device("bulk-new")


@check("a twin is updated: tags and desired properties are merged, and null takes away")
@registry_of
def _(registry):
    registry.update_twin("sas", Twin(tags={"site": "Köln", "floor": {"number": 3, "wing": "west"}}))
    twin = registry.update_twin(
        "sas",
        Twin(
            tags={"floor": {"wing": None}},
            properties=TwinProperties(desired={"interval": 0, "limits": [1, 2.5], "text": "レ"}),
        ),
    )
    equal(twin.tags, {"site": "Köln", "floor": {"number": 3}})
    desired = {"interval": 0, "limits": [1, 2.5], "text": "レ"}
    equal(without_metadata(twin.properties.desired), desired)
    read = registry.get_twin("sas")
    equal((read.etag, read.tags, without_metadata(read.properties.desired)), (twin.etag, twin.tags, desired))
    equal((read.device_id, read.status, read.authentication_type), ("sas", "enabled", "sas"))


@check("a twin is updated and replaced on the condition of an etag")
@registry_of
def _(registry):
    old = registry.get_twin("sas").etag
    new = registry.update_twin("sas", Twin(tags={"site": "Bonn"}), old).etag
    refused(412, "PreconditionFailed", registry.update_twin, "sas", Twin(tags={"site": "Ulm"}), old)
    refused(412, "PreconditionFailed", registry.replace_twin, "sas", Twin(tags={"site": "Ulm"}), old)
    twin = registry.replace_twin("sas", Twin(properties=TwinProperties(desired={"only": "this"})), new)
    equal((twin.tags, without_metadata(twin.properties.desired)), (None, {"only": "this"}))


@check("a twin that was read is sent back as it is")
@registry_of
def _(registry):
    twin = registry.replace_twin("sas", registry.get_twin("sas"))
    equal(without_metadata(twin.properties.desired), {"only": "this"})


@check("a module's twin is read, updated and replaced")
@registry_of
def _(registry):
    equal(registry.get_module_twin("sas", "m-sas").module_id, "m-sas")
    twin = registry.update_module_twin("sas", "m-sas", Twin(tags={"a": 1, "b": 2}))
    equal(twin.tags, {"a": 1, "b": 2})
    twin = registry.replace_module_twin("sas", "m-sas", Twin(tags={"c": 3}), twin.etag)
    equal(twin.tags, {"c": 3})
    refused(412, "PreconditionFailed", registry.update_module_twin, "sas", "m-sas", Twin(tags={}), "AAAAAAAAAAA=")


@check("a twin of nobody is not found")
@registry_of
def _(registry):
    refused(404, "DeviceNotFound", registry.get_twin, "nobody")
    refused(404, "DeviceNotFound", registry.update_twin, "nobody", Twin(tags={"a": 1}))
    refused(404, "DeviceNotFound", registry.get_module_twin, "sas", "nobody")


@check("a twin with a key that is not legal is not written")
@registry_of
def _(registry):
    refused(400, "ArgumentInvalid", registry.update_twin, "sas", Twin(tags={"a.b": 1}))


@check("a query finds twins")
@registry_of
def _(registry):
    result = registry.query_iot_hub(QuerySpecification(query="SELECT * FROM devices WHERE deviceId = 'sas'"))
    equal((result.type.lower(), [twin.device_id for twin in result.items]), ("twin", ["sas"]))
    equal(result.continuation_token, None)


@check("a query's pages follow one another")
@registry_of
def _(registry):
    ids, token, pages = [], None, 0
    while token is not None or pages == 0:
        result = registry.query_iot_hub(QuerySpecification(query="SELECT * FROM devices"), token, 2)
        assert len(result.items) <= 2, len(result.items)
        ids += [twin.device_id for twin in result.items]
        token, pages = result.continuation_token, pages + 1
    equal(sorted(ids), sorted(device.device_id for device in registry.get_devices()))
    assert pages > 2, pages


@check("a query counts and groups")
@registry_of
def _(registry):
    text = "SELECT status, COUNT() AS number FROM devices GROUP BY status"
    result = registry.query_iot_hub(QuerySpecification(query=text))
    equal(result.type.lower(), "raw")
    numbers = {row.status: row.additional_properties["number"] for row in result.items}
    statistics = registry.get_device_registry_statistics()
    equal(numbers, {"enabled": statistics.enabled_device_count, "disabled": statistics.disabled_device_count})


@check("a query that is none is refused")
@registry_of
def _(registry):
    refused(400, "ArgumentInvalid", registry.query_iot_hub, QuerySpecification(query="SELECT FROM"))


@check("a device answers direct methods with whatever it was sent")
@registry_of
def _(registry):
    for payload in ({"delay": 0, "where": ["Köln", None]}, [1, 2], "text", 0, False, ""):
        method = CloudToDeviceMethod(method_name="echo", payload=payload, response_timeout_in_seconds=10)
        answer = registry.invoke_device_method(DEVICE, method)
        equal((answer.status, answer.payload), (200, payload))


@check("a payload that is left out arrives as an empty text")
@registry_of
def _(registry):
    equal(registry.invoke_device_method(DEVICE, CloudToDeviceMethod(method_name="echo")).payload, "")


@check("a module answers direct methods")
@registry_of
def _(registry):
    method = CloudToDeviceMethod(method_name="echo", payload={"a": 1}, connect_timeout_in_seconds=5)
    answer = registry.invoke_device_module_method(DEVICE, MODULE, method)
    equal((answer.status, answer.payload), (200, {"a": 1}))


@check("direct methods that nobody can answer are refused")
@registry_of
def _(registry):
    method = CloudToDeviceMethod(method_name="echo", payload=1)
    refused(404, "DeviceNotOnline", registry.invoke_device_method, "sas", method)
    refused(404, "DeviceNotFound", registry.invoke_device_method, "nobody", method)
    refused(404, "ModuleNotFound", registry.invoke_device_module_method, DEVICE, "nobody", method)


def next_message(registry):
    return registry.invoke_device_method(DEVICE, CloudToDeviceMethod(method_name="nextMessage")).payload


def message_refused(registry, device_id, properties={}):
    try:
        registry.send_c2d_message(device_id, "hello", properties=properties)
    except Exception as error:  # The SDK raises no narrower one.
        equal(str(error), "C2D message send failure")
    else:
        raise AssertionError("it was not refused")


def check_messages(transport_type):
    name = transport_type.name
    registry = connect(transport_type)
    managers.append(registry)

    @check(f"a message arrives with its properties ({name})")
    def _():
        properties = {"messageId": "m-1", "contentType": "text/plain", "iothub-ack": "full", "priority": 5, "a": "b"}
        registry.send_c2d_message(DEVICE, "Grüße, 世界", properties=properties)
        message = next_message(registry)
        equal((message["text"], message["messageId"], message["ack"]), ("Grüße, 世界", "m-1", "full"))
        equal(message["properties"], {"priority": 5, "a": "b"})

    @check(f"messages arrive in their order, texts and bytes ({name})")
    def _():
        texts = ["", "x" * 60_000, "three"]
        for text in texts:
            registry.send_c2d_message(DEVICE, text.encode() if text == "three" else text)
        equal([next_message(registry)["text"] for _ in texts], texts)

    @check(f"a message may expire, unless it has expired when it is sent ({name})")
    def _():
        before = registry.get_device("sas").cloud_to_device_message_count
        registry.send_c2d_message("sas", "in time", properties={"expiryTimeUtc": int((time.time() + 600) * 1000)})
        message_refused(registry, "sas", {"expiryTimeUtc": 1_500_000_000_000})
        equal(registry.get_device("sas").cloud_to_device_message_count, before + 1)

    @check(f"a message to nobody is refused, and one after it arrives ({name})")
    def _():
        message_refused(registry, "nobody")
        registry.send_c2d_message(DEVICE, "after it")
        equal(next_message(registry)["text"], "after it")

    @check(f"a key that is not the hub's is refused ({name})")
    def _():
        registry = connect(transport_type, STRANGER)
        managers.append(registry)
        refused(401, "IotHubUnauthorized", registry.get_device, "sas")
        try:
            registry.send_c2d_message(DEVICE, "hello")
        except Exception as error:  # The AMQP library makes a riddle of the rest of its text.
            assert "authentication" in str(error).lower(), error
        else:
            raise AssertionError("it was not refused")

    @check(f"a token credential does what a connection string does ({name})")
    def _():
        factory = Recorded(IoTHubRegistryManager)
        credential = HubCredential()
        registry = RecordedManager(factory.from_token_credential(HOST, credential, transport_type=transport_type))
        managers.append(registry)
        registry.send_c2d_message(DEVICE, "by a bearer")
        equal(next_message(registry)["text"], "by a bearer")


for transport in TRANSPORTS:
    check_messages(transport)

report(IoTHubRegistryManager)
for manager in managers:
    manager.close()
