"""Reads the hub's events with the client for Event Hubs of the SDK for Python, and writes a line of JSON for each check.

Of what it is told about the hub it takes the port for AMQP too, and a device that sends telemetry and cuts connections
when it is told to.
"""

import contextlib
import datetime
import queue
import threading

from sdk_scenarios import HUB, check, equal, report

from azure.eventhub import EventHubConsumerClient, TransportType
from azure.eventhub.exceptions import AuthenticationError, EventHubError
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod

# The event hub has the name of the hub, and the keys of its policies.
_, POLICY = HUB["connectionString"].split(";", 1)
EVENT_HUB = f"Endpoint=sb://localhost/;EntityPath=localhost;{POLICY}"
DEVICE = HUB["device"]
WAIT = 10

registry = IoTHubRegistryManager.from_connection_string(HUB["connectionString"])
registry.create_device_with_sas(DEVICE, None, None, "enabled")
# Where the events of the device are, as soon as that is known: whoever reads one partition has one connection alone.
place = {}


def call(name, payload=None):
    answer = registry.invoke_device_method(DEVICE, CloudToDeviceMethod(method_name=name, payload=payload))
    equal(answer.status, 200)


def send(*texts):
    for text in texts:
        call("sendTelemetry", text)


def connect(consumer_group="$Default", connection_string=EVENT_HUB):
    return EventHubConsumerClient.from_connection_string(
        connection_string,
        consumer_group,
        # With TLS it takes a port from here alone.
        custom_endpoint_address=f"sb://localhost:{HUB['amqpPort']}",
        transport_type=TransportType.Amqp,
        connection_verify=HUB["certificates"],
        retry_total=2,
        retry_backoff_factor=0.05,
    )


@contextlib.contextmanager
def reading(starting_position, consumer_group="$Default", **options):
    """Reads in a thread of its own, and gives a function that waits for so many events."""
    client, events, errors = connect(consumer_group), queue.Queue(), []

    def read():
        client.receive(
            lambda partition, event: events.put((partition.partition_id, event)),
            starting_position=starting_position,
            on_error=lambda _, error: errors.append(error),
            **options,
        )

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield lambda count, wait=WAIT: [events.get(timeout=wait) for _ in range(count)]
    finally:
        client.close()
        thread.join(WAIT)
    equal(errors, [])


def texts(read):
    return [event.body_as_str() for _, event in read]


@check("the properties of the event hub and of its partitions are read")
def _():
    with connect() as client:
        hub = client.get_eventhub_properties()
        equal((hub["eventhub_name"], hub["partition_ids"]), ("localhost", ["0", "1", "2", "3"]))
        partition = client.get_partition_properties("3")
        equal((partition["id"], partition["is_empty"], partition["last_enqueued_sequence_number"]), ("3", True, -1))
        try:
            client.get_partition_properties("4")
        except EventHubError as error:
            # It looks for the description under another name than it is told to.
            assert "Status code: 400" in str(error), error
        else:
            raise AssertionError("there is one partition more")


@check("events are read from the earliest, with what the hub knows of them, in two consumer groups")
def _():
    send("21.5 °C", "22 °C")
    with reading("-1") as default:
        read = default(2)
    (partition_id, first), (_, second) = read
    place["partition_id"] = partition_id
    equal(texts(read), ["21.5 °C", "22 °C"])
    with reading("-1", "dashboards", track_last_enqueued_event_properties=True, **place) as dashboards:
        equal(texts(dashboards(2)), ["21.5 °C", "22 °C"])
    equal((first.sequence_number, second.sequence_number), (0, 1))
    stamps = first.system_properties
    equal(stamps[b"iothub-connection-device-id"], DEVICE.encode())
    equal(stamps[b"iothub-message-source"], b"Telemetry")
    assert first.enqueued_time <= second.enqueued_time, first.enqueued_time
    with connect() as client:
        equal(client.get_partition_properties(partition_id)["last_enqueued_sequence_number"], 1)


@check("events are read from a time, from a number, and from the latest")
def _():
    since = datetime.datetime.now(datetime.timezone.utc)
    send("23 °C")
    with reading(since, **place) as timed, reading(0, **place) as numbered, reading("@latest", **place) as latest:
        equal(texts(timed(1)), ["23 °C"])
        equal(texts(numbered(2)), ["22 °C", "23 °C"])
        # It tells nothing of its beginning, so it is sent to until something comes.
        late = []
        while not late:
            send("late")
            with contextlib.suppress(queue.Empty):
                late = texts(latest(1, 0.5))
        equal(late, ["late"])


@check("a reader whose connection is cut goes on where it was")
def _():
    since = datetime.datetime.now(datetime.timezone.utc)
    send("before")
    with reading(since, **place) as events:
        equal(texts(events(1)), ["before"])
        call("drop")
        send("after", "and after")
        equal(texts(events(2)), ["after", "and after"])


@check("a wrong key is not let in")
def _():
    text = EVENT_HUB.rsplit("SharedAccessKey=", 1)[0] + "SharedAccessKey=" + "MTEx" * 11
    with connect(connection_string=text) as client:
        try:
            client.get_eventhub_properties()
        except AuthenticationError as error:
            assert "does not fit the keys" in str(error), error
        else:
            raise AssertionError("it was let in")


report()
