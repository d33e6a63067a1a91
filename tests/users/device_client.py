"""Has devices and modules of the SDK for Python do what they do, and writes a line of JSON for each check.

The environment is what the hub's program prints, as it is: nothing else says whom to trust. HUB has what a device needs
besides: a file with the hub's events, certificates of devices, and whether the port for WebSockets could be had.
"""

import asyncio
import contextlib
import gc
import json
import os
import queue
import socket

from sdk_scenarios import HOST, HUB, check, equal, eventually, report

import certifi  # noqa: E402

# The AMQP library of the service's SDK reads this file, and no variable of the environment.
certifi.where = lambda: os.environ["REQUESTS_CA_BUNDLE"]

import paho.mqtt.client  # noqa: E402
import requests  # noqa: E402
from azure.iot.device import (  # noqa: E402
    IoTHubDeviceClient,
    IoTHubModuleClient,
    Message,
    MethodResponse,
    X509,
    exceptions,
)
from azure.iot.device.aio import IoTHubDeviceClient as AsyncDeviceClient  # noqa: E402
from azure.iot.hub import IoTHubRegistryManager  # noqa: E402
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties  # noqa: E402
from azure.iot.hub.sastoken import SasToken  # noqa: E402

ADDRESS = HOST.split(":")[0]
WAIT = 10

registry = IoTHubRegistryManager.from_connection_string(os.environ["IOTHUB_CS"])


def text_for(device_id, key, module_id=None):
    module = "" if module_id is None else f";ModuleId={module_id}"
    return f"HostName={ADDRESS};DeviceId={device_id}{module};SharedAccessKey={key}"


def registered(device_id):
    """Registers a device. Returns its key."""
    device = registry.create_device_with_sas(device_id, None, None, "enabled")
    return device.authentication.symmetric_key.primary_key


@contextlib.contextmanager
def connected(client):
    try:
        client.connect()
        yield client
    finally:
        client.shutdown()


def device(device_id, **options):
    """A new device, connected."""
    text = text_for(device_id, registered(device_id))
    return connected(IoTHubDeviceClient.create_from_connection_string(text, **options))


def module(device_id, **options):
    registered(device_id)
    made = registry.create_module_with_sas(device_id, "sensor", None, None, None)
    text = text_for(device_id, made.authentication.symmetric_key.primary_key, "sensor")
    return connected(IoTHubModuleClient.create_from_connection_string(text, **options))


def told(**wanted):
    """The hub's events so far that have these members."""
    with open(HUB["events"], encoding="utf-8") as file:
        lines = [line for line in file.read().split("\n")[:-1] if line.startswith("{")]
    events = [json.loads(line) for line in lines]
    return [event for event in events if all(event.get(name) == value for name, value in wanted.items())]


def sent(device_id, count=1, **wanted):
    """Waits until the hub has accepted telemetry of a device."""
    wanted = {"kind": "deviceAct", "act": "sendTelemetry", "status": 200, **wanted, "deviceId": device_id}
    eventually(lambda: len(told(**wanted)), lambda number: number == count)


def received(client):
    """The messages that a client receives from now on."""
    messages = queue.Queue()
    client.on_message_received = messages.put
    return messages


def patches(client):
    changes = queue.Queue()
    client.on_twin_desired_properties_patch_received = changes.put
    return changes


def answer_methods(client):
    """Has a client answer with the name and the payload, and with status 404 for what is called "unknown"."""

    def answer(request):
        payload = {"name": request.name, "payload": request.payload}
        status = 404 if request.name == "unknown" else 200
        client.send_method_response(MethodResponse.create_from_method_request(request, status, payload))

    client.on_method_request_received = answer


def want(device_id, **desired):
    registry.update_twin(device_id, Twin(properties=TwinProperties(desired=desired)))


def call(device_id, name, payload=None):
    method = CloudToDeviceMethod(method_name=name, payload=payload, response_timeout_in_seconds=WAIT)
    return registry.invoke_device_method(device_id, method)


def cut(device_id):
    """Cuts the connection of a device, as a network does: without a word."""
    for each in gc.get_objects():
        if isinstance(each, paho.mqtt.client.Client) and each._client_id == device_id.encode() and each.socket():
            # Over WebSocket it is not the socket itself.
            getattr(each.socket(), "_socket", each.socket()).shutdown(socket.SHUT_RDWR)


def connections(device_id):
    return len(told(kind="connection", change="connected", deviceId=device_id))


def check_transport(name, **options):
    """Checks what devices do over a transport."""

    @check(f"{name}: a device connects, and goes")
    def _():
        with device(f"{name}-state", **options) as client:
            equal(client.connected, True)
            equal(registry.get_device(f"{name}-state").connection_state, "Connected")
            client.disconnect()
            eventually(
                lambda: registry.get_device(f"{name}-state").connection_state, lambda state: state == "Disconnected"
            )
            client.connect()
            equal(registry.get_device(f"{name}-state").connection_state, "Connected")

    @check(f"{name}: telemetry is sent, with every property that a message has")
    def _():
        with device(f"{name}-telemetry", **options) as client:
            client.send_message("21.5")
            message = Message(json.dumps({"Köln": 21.5}), "id/1", "utf-8", "application/json")
            message.correlation_id, message.user_id = "a b", "m&e"
            message.custom_properties.update({"floor": "3", "ort": "Köln", "a=b&c": "d=e"})
            client.send_message(message)
            sent(f"{name}-telemetry", 2)

    @check(f"{name}: a twin is read")
    def _():
        with device(f"{name}-twin", **options) as client:
            want(f"{name}-twin", interval=5, ort="Köln")
            twin = client.get_twin()
            equal((twin["desired"]["interval"], twin["desired"]["ort"]), (5, "Köln"))
            equal((twin["desired"]["$version"], twin["reported"]), (2, {"$version": 1}))

    @check(f"{name}: properties are reported, and taken back")
    def _():
        with device(f"{name}-reported", **options) as client:
            client.patch_twin_reported_properties({"battery": {"level": 80, "ort": "Köln"}, "old": 1})
            client.patch_twin_reported_properties({"battery": {"level": 79}, "old": None})
            reported = registry.get_twin(f"{name}-reported").properties.reported
            equal((reported["battery"], "old" in reported), ({"level": 79, "ort": "Köln"}, False))

    @check(f"{name}: desired properties are told as they change")
    def _():
        with device(f"{name}-desired", **options) as client:
            changes = patches(client)
            want(f"{name}-desired", interval=5, ort="Köln")
            equal(changes.get(timeout=WAIT), {"interval": 5, "ort": "Köln", "$version": 2})
            want(f"{name}-desired", ort=None)
            equal(changes.get(timeout=WAIT), {"ort": None, "$version": 3})

    @check(f"{name}: methods are answered")
    def _():
        with device(f"{name}-methods", **options) as client:
            answer_methods(client)
            for payload in ({"Köln": [1, None]}, "text", 5, False, ""):
                answer = call(f"{name}-methods", "reboot", payload)
                equal((answer.status, answer.payload), (200, {"name": "reboot", "payload": payload}))
            equal(call(f"{name}-methods", "unknown").status, 404)

    @check(f"{name}: messages are received, with every property that a message has")
    def _():
        with device(f"{name}-messages", **options) as client:
            messages = received(client)
            properties = {"messageId": "id/1", "correlationId": "a b", "contentType": "text/plain", "ort": "Köln"}
            registry.send_c2d_message(f"{name}-messages", "Grüße", {**properties, "contentEncoding": "utf-8"})
            message = messages.get(timeout=WAIT)
            equal(message.data.decode(), "Grüße")
            equal((message.message_id, message.correlation_id), ("id/1", "a b"))
            equal((message.content_type, message.content_encoding), ("text/plain", "utf-8"))
            equal(message.custom_properties["ort"], "Köln")

    @check(f"{name}: a module does all that a device does")
    def _():
        with module(f"{name}-module", **options) as client:
            changes = patches(client)
            answer_methods(client)
            client.send_message("1")
            client.send_message_to_output("2", "output")
            sent(f"{name}-module", 2, moduleId="sensor")
            client.patch_twin_reported_properties({"level": 1})
            twin = registry.get_module_twin(f"{name}-module", "sensor")
            equal(twin.properties.reported["level"], 1)
            wanted = Twin(properties=TwinProperties(desired={"interval": 5}))
            registry.update_module_twin(f"{name}-module", "sensor", wanted)
            equal(changes.get(timeout=WAIT)["interval"], 5)
            equal(client.get_twin()["desired"]["interval"], 5)
            method = CloudToDeviceMethod(method_name="reboot", payload=1)
            answer = registry.invoke_device_module_method(f"{name}-module", "sensor", method)
            equal(answer.payload, {"name": "reboot", "payload": 1})

    @check(f"{name}: a device is let in by the thumbprint of its certificate")
    def _():
        certificate = HUB["certificates"]["thumbprint"]
        registry.create_device_with_x509(f"{name}-thumbprint", certificate["sha1"], certificate["sha256"], "enabled")
        with connected(by_certificate(f"{name}-thumbprint", certificate, **options)) as client:
            client.send_message("1")
            sent(f"{name}-thumbprint")

    @check(f"{name}: a connection that is cut is made anew, and nothing is lost")
    def _():
        with device(f"{name}-cut", connection_retry_interval=1, **options) as client:
            messages, changes = received(client), patches(client)
            answer_methods(client)
            want(f"{name}-cut", interval=4)
            changes.get(timeout=WAIT)
            cut(f"{name}-cut")
            registry.send_c2d_message(f"{name}-cut", "while it was away")
            eventually(lambda: connections(f"{name}-cut"), lambda number: number == 2)
            equal(messages.get(timeout=WAIT).data, b"while it was away")
            client.send_message("1")
            sent(f"{name}-cut")
            want(f"{name}-cut", interval=5)
            equal(changes.get(timeout=WAIT)["interval"], 5)
            equal(call(f"{name}-cut", "reboot").status, 200)


def by_certificate(device_id, certificate, **options):
    x509 = X509(cert_file=certificate["cert"], key_file=certificate["key"])
    return IoTHubDeviceClient.create_from_x509_certificate(x509, ADDRESS, device_id, **options)


def not_let_in(client):
    try:
        client.connect()
    except exceptions.CredentialError:
        return
    finally:
        client.shutdown()
    raise AssertionError("it was let in")


check_transport("mqtt")
if HUB["hasPort443"]:
    check_transport("webSocket", websockets=True)


@check("a device is let in by the authority of its certificate")
def _():
    certificate = HUB["certificates"]["authority"]
    registry.create_device_with_certificate_authority(certificate["name"], "enabled")
    with connected(by_certificate(certificate["name"], certificate)) as client:
        client.send_message("1")
        sent(certificate["name"])


@check("a certificate of another authority, or another device's, lets nobody in")
def _():
    foreign, certificates = HUB["certificates"]["foreign"], HUB["certificates"]
    registry.create_device_with_certificate_authority(foreign["name"], "enabled")
    not_let_in(by_certificate(foreign["name"], foreign))
    registry.create_device_with_certificate_authority("another", "enabled")
    not_let_in(by_certificate("another", certificates["authority"]))


@check("a wrong key, a device that is disabled, and one that is unknown are not let in")
def _():
    key = registered("refused")
    make = IoTHubDeviceClient.create_from_connection_string
    not_let_in(make(text_for("refused", "MTEx" * 11)))
    not_let_in(make(text_for("nobody", key)))
    registry.update_device_with_sas("refused", None, key, key, "disabled")
    not_let_in(make(text_for("refused", key)))
    registry.update_device_with_sas("refused", None, key, key, "enabled")
    with connected(make(text_for("refused", key))) as client:
        equal(client.connected, True)


@check("a device that announces a model is known by it")
def _():
    model = "dtmi:com:example:Thermostat;1"
    with device("model", product_info=model):
        equal(registry.get_twin("model").additional_properties.get("modelId"), model)


@check("a token of its own lets a device in, and another one takes its place")
def _():
    key = registered("token")
    token = lambda ttl: str(SasToken(f"{ADDRESS}/devices/token", key, ttl=ttl))  # noqa: E731
    with connected(IoTHubDeviceClient.create_from_sastoken(token(3600))) as client:
        client.send_message("1")
        client.update_sastoken(token(7200))
        client.send_message("2")
        sent("token", 2)
        equal(connections("token"), 2)


@check("a token is renewed in time, and the device goes on receiving")
def _():
    # The SDK renews a token two minutes before it expires.
    with device("renewal", sastoken_ttl=121) as client:
        messages = received(client)
        eventually(lambda: connections("renewal"), lambda number: number >= 2)
        registry.send_c2d_message("renewal", "after it")
        equal(messages.get(timeout=WAIT).data, b"after it")


@check("a device that is disabled is sent away and refused, and comes back when it is told to once it is enabled")
def _():
    key = registered("moment")
    with connected(IoTHubDeviceClient.create_from_connection_string(text_for("moment", key))) as client:
        errors = queue.Queue()
        client.on_background_exception = errors.put
        registry.update_device_with_sas("moment", None, key, key, "disabled")
        # It connects again at once, and takes a refusal for the end. Of the connection that was refused it hears last: it
        # would take that for the end of a connection that it is told to make before.
        told_of = [type(errors.get(timeout=WAIT)).__name__ for _ in range(3)]
        equal(told_of, ["ConnectionDroppedError", "UnauthorizedError", "ConnectionDroppedError"])
        equal(client.connected, False)
        eventually(
            lambda: [each["reason"] for each in told(change="disconnected", deviceId="moment")],
            lambda reasons: reasons == ["identityGone"],
        )
        registry.update_device_with_sas("moment", None, key, key, "enabled")
        client.connect()
        client.send_message("1")
        sent("moment")


@check("messages wait for a device that is away, and come in their order")
def _():
    key = registered("away")
    for number in range(5):
        registry.send_c2d_message("away", str(number))
    with connected(IoTHubDeviceClient.create_from_connection_string(text_for("away", key))) as client:
        messages = received(client)
        equal([messages.get(timeout=WAIT).data for _ in range(5)], [b"0", b"1", b"2", b"3", b"4"])
    eventually(lambda: registry.get_device("away").cloud_to_device_message_count, lambda number: number == 0)


@check("feedback tells that a message has arrived: the hub counts it as completed")
def _():
    with device("completed") as client:
        messages = received(client)
        registry.send_c2d_message("completed", "1", {"ack": "full"})
        messages.get(timeout=WAIT)
        eventually(lambda: told(kind="deviceAct", act="completeMessage", deviceId="completed"), lambda events: events)


@check("many messages of telemetry are sent at once")
def _():
    async def send(text):
        client = AsyncDeviceClient.create_from_connection_string(text)
        try:
            await asyncio.gather(*(client.send_message(str(number)) for number in range(100)))
        finally:
            await client.shutdown()

    asyncio.run(send(text_for("many", registered("many"))))
    sent("many", 100)


@check("the client for asyncio reads a twin, reports, and answers a method")
def _():
    async def use(text):
        client = AsyncDeviceClient.create_from_connection_string(text)

        async def answer(request):
            await client.send_method_response(MethodResponse.create_from_method_request(request, 201, "done"))

        try:
            await client.connect()
            client.on_method_request_received = answer
            twin = await client.get_twin()
            await client.patch_twin_reported_properties({"seen": twin["desired"]["$version"]})
            return await asyncio.to_thread(call, "aio", "reboot")
        finally:
            await client.shutdown()

    result = asyncio.run(use(text_for("aio", registered("aio"))))
    equal((result.status, result.payload), (201, "done"))
    equal(registry.get_twin("aio").properties.reported["seen"], 1)


@check("a method of a device that is away is not called")
def _():
    registered("offline")
    try:
        call("offline", "reboot")
    except Exception as error:
        equal(error.response.headers["iothub-errorcode"], "DeviceNotOnline")
    else:
        raise AssertionError("it was called")


if HUB["hasPort443"]:

    @check("a file is uploaded, and the upload announced")
    def _():
        with device("upload") as client:
            storage = client.get_storage_info_for_blob("folder/grüße.txt")
            address = f"https://{storage['hostName']}/{storage['containerName']}/{storage['blobName']}"
            headers = {"x-ms-blob-type": "BlockBlob"}
            answer = requests.put(address + storage["sasToken"], "Grüße".encode(), headers=headers)
            answer.raise_for_status()
            client.notify_blob_upload_status(storage["correlationId"], True, 201, "")
            eventually(
                lambda: [event["act"] for event in told(kind="deviceAct", deviceId="upload")],
                lambda acts: acts == ["beginUpload", "endUpload"],
            )


report()
