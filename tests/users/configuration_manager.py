"""Calls every method of the SDK for Python's IoTHubConfigurationManager, and writes a line of JSON for each check."""

from sdk_scenarios import HUB, STRANGER, check, connect, equal, eventually, refused, report

from azure.iot.hub import IoTHubConfigurationManager, IoTHubRegistryManager
from azure.iot.hub.models import (
    Configuration,
    ConfigurationContent,
    ConfigurationMetrics,
    ConfigurationQueriesTestInput,
    Twin,
)

CONTENTS = {
    "device": ConfigurationContent(device_content={"properties.desired.mode": "eco"}),
    "module": ConfigurationContent(module_content={"properties.desired.mode": {"name": "eco", "level": 0}}),
    "modules": ConfigurationContent(
        modules_content={
            "$edgeAgent": {"properties.desired": {"modules": {"sensor": {"type": "docker"}}}},
            "$edgeHub": {"properties.desired": {"routes": {}}},
            "sensor": {"properties.desired": {"interval": 5}},
        }
    ),
}
ECO = "SELECT deviceId FROM devices WHERE properties.desired.mode = 'eco'"

configurations = connect(IoTHubConfigurationManager)
registry = IoTHubRegistryManager.from_connection_string(HUB["connectionString"])


def configuration(id, **members):
    return Configuration(**{"id": id, "content": CONTENTS["device"], "target_condition": "", **members})


def quoted(etag):
    """The SDK sends an etag as it is given, and the hub takes no other than one in quotes."""
    return f'"{etag}"'


for kind, content in CONTENTS.items():

    @check(f"a configuration with content for {kind} is created, and read as it was created")
    def _(kind=kind, content=content):
        made = configurations.create_configuration(
            configuration(
                f"new-{kind}",
                content=content,
                schema_version="1.0",
                labels={"site": "Köln"},
                priority=7,
                metrics=ConfigurationMetrics(queries={"eco": ECO}),
            )
        )
        read = configurations.get_configuration(f"new-{kind}")
        for each in (made, read):
            equal((each.id, each.schema_version, each.labels), (f"new-{kind}", "1.0", {"site": "Köln"}))
            equal((each.content.as_dict(), each.priority), (content.as_dict(), 7))
            equal((each.target_condition, each.metrics.queries), ("", {"eco": ECO}))
            equal((each.etag, each.created_time_utc), ("MQ==", each.last_updated_time_utc))
            assert "targetedCount" in each.system_metrics.queries, each.system_metrics.queries


@check("a configuration whose id has every legal character is created, read and deleted")
def _():
    id = "az09-+%_*!'"
    equal(configurations.create_configuration(configuration(id)).id, id)
    equal(configurations.get_configuration(id).id, id)
    configurations.delete_configuration(id)


@check("configurations are listed, and a number to list is ignored")
def _():
    ids = ["new-device", "new-module", "new-modules"]
    equal([each.id for each in configurations.get_configurations()], ids)
    equal([each.id for each in configurations.get_configurations(1)], ids)


@check("a configuration that is there already is not created")
def _():
    refused(409, "ConfigurationAlreadyExists", configurations.create_configuration, configuration("new-device"))


@check("what can be no configuration is not created")
def _():
    both = ConfigurationContent(device_content={}, module_content={})
    metrics = ConfigurationMetrics(queries={"bad": "SELECT FROM"})
    for code, bad in (
        ("ArgumentInvalid", configuration("BAD")),
        ("InvalidConfigurationContent", configuration("bad", content=both)),
        ("InvalidConfigurationContent", configuration("bad", content=None)),
        ("InvalidConfigurationTargetCondition", configuration("bad", target_condition="status = 'enabled'")),
        ("InvalidConfigurationCustomMetricsQuery", configuration("bad", metrics=metrics)),
    ):
        refused(400, code, configurations.create_configuration, bad)
    refused(404, "ConfigurationNotFound", configurations.get_configuration, "bad")


@check("a configuration that was read is changed and sent back, all but its content")
def _():
    read = configurations.get_configuration("new-device")
    read.priority, read.labels, read.content = 99, {"site": "Bonn"}, CONTENTS["module"]
    updated = configurations.update_configuration(read, quoted(read.etag))
    equal((updated.priority, updated.labels, updated.etag), (99, {"site": "Bonn"}, "Mg=="))
    equal(updated.content.as_dict(), CONTENTS["device"].as_dict())
    assert updated.last_updated_time_utc >= updated.created_time_utc, updated


@check("a configuration is updated on the condition of an etag, or whatever it has")
def _():
    change = configuration("new-device", priority=5)
    update = configurations.update_configuration
    refused(412, "PreconditionFailed", update, change, quoted("MQ=="))
    equal(update(change, "*").priority, 5)
    refused(409, "ConfigurationAlreadyExists", update, change, configurations.get_configuration("new-device").etag)
    refused(404, "ConfigurationNotFound", update, configuration("none"), "*")


@check("a configuration is applied to the devices that it is meant for, and counted")
def _():
    for id, site in (("koeln", "Köln"), ("bonn", "Bonn")):
        registry.create_device_with_sas(id, None, None, "enabled")
        registry.update_twin(id, Twin(tags={"site": site}))
    metrics = ConfigurationMetrics(queries={"eco": ECO})
    configurations.create_configuration(configuration("eco", target_condition="tags.site = 'Köln'", metrics=metrics))
    applied = eventually(
        lambda: configurations.get_configuration("eco"),
        lambda each: each.system_metrics.results.get("appliedCount") == 1,
    )
    equal(applied.system_metrics.results, {"targetedCount": 1, "appliedCount": 1})
    equal(applied.metrics.results, {"eco": 1})
    equal(registry.get_twin("koeln").properties.desired["mode"], "eco")
    equal("mode" in registry.get_twin("bonn").properties.desired, False)


@check("queries are tested, and what is wrong with them is told")
def _():
    test = configurations.test_configuration_queries
    good = test(
        ConfigurationQueriesTestInput(target_condition="tags.site = 'Köln'", custom_metric_queries={"eco": ECO})
    )
    equal((good.target_condition_error, good.custom_metric_query_errors), (None, {}))
    bad = test(
        ConfigurationQueriesTestInput(
            target_condition="status = 'enabled'", custom_metric_queries={"eco": ECO, "bad": "SELECT FROM"}
        )
    )
    assert "targetCondition" in bad.target_condition_error, bad.target_condition_error
    equal(list(bad.custom_metric_query_errors), ["bad"])


@check("content is applied to an Edge device, and to no other")
def _():
    apply = configurations.apply_configuration_on_edge_device
    registry.create_device_with_sas("edge", None, None, "enabled", True)
    equal(apply("edge", CONTENTS["modules"]), None)
    equal(registry.get_module_twin("edge", "sensor").properties.desired["interval"], 5)
    refused(400, "ArgumentInvalid", apply, "koeln", CONTENTS["modules"])
    refused(400, "InvalidConfigurationContent", apply, "edge", CONTENTS["device"])
    refused(404, "DeviceNotFound", apply, "nobody", CONTENTS["modules"])


@check("a configuration is deleted on the condition of an etag, and without one")
def _():
    delete = configurations.delete_configuration
    refused(412, "PreconditionFailed", delete, "new-device", quoted("MQ=="))
    equal(delete("new-device", quoted(configurations.get_configuration("new-device").etag)), None)
    equal(delete("new-module"), None)
    for id in ("new-device", "new-module"):
        refused(404, "ConfigurationNotFound", configurations.get_configuration, id)
        refused(404, "ConfigurationNotFound", delete, id)


@check("a token credential does what a connection string does")
def _():
    by_token = connect(IoTHubConfigurationManager, None)
    equal(by_token.get_configuration("new-modules").id, "new-modules")


@check("a key that is not the hub's is refused")
def _():
    stranger = connect(IoTHubConfigurationManager, STRANGER)
    refused(401, "IotHubUnauthorized", stranger.get_configurations)


report(IoTHubConfigurationManager)
