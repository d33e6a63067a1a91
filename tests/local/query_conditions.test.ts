import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { HubState } from "../../lib/local/hub_state.ts";
import { compileCondition, parseCondition } from "../../lib/local/queries/conditions.ts";
import { pathsOf, resolvePath } from "../../lib/local/queries/paths.ts";

const SOURCES = ["devices", "devices.modules"];

function setup() {
  const hub = new HubState({ hostName: "hub.example", now: Date.now, clockSkew: 0 });
  for (const [id, site] of [["d1", "oslo"], ["d2", "rome"]] as const) {
    const device = hub.devices.create(id, {});
    hub.twins.patch(device, { tags: { site } }, undefined);
    hub.modules.create(device, "m", {});
  }
  return hub;
}

describe("a condition that stands alone", () => {
  test("tells the twins that match it from the others, whenever it is asked", () => {
    const hub = setup();
    const documents = { name: "devices", shape: hub.twinDocuments.queried };
    const { source, expression } = parseCondition("tags.site = 'rome' AND DeviceId != 'd3'");
    assert.equal(source, undefined);
    const isMatch = compileCondition(expression, documents);
    const [d1, d2] = [hub.store.device("d1")!, hub.store.device("d2")!];
    assert.deepEqual([isMatch(d1), isMatch(d2)], [false, true]);
    hub.twins.patch(d1, { tags: { site: "rome" } }, undefined);
    assert.deepEqual([isMatch(d1), isMatch(d2)], [true, true]);
    hub.close();
  });

  test("finds no member that a value has by nature, and each that it has been given", () => {
    const hub = setup();
    const [d1, d2] = [hub.store.device("d1")!, hub.store.device("d2")!];
    const odd = ["length", "0", "constructor", "__proto__", "toString", "at", "01", "9a"];
    const entries = odd.map((name) => `${JSON.stringify(name)}: {"deep": 1}`);
    hub.twins.patch(d1, { tags: JSON.parse(`{"given": {${entries}}}`) }, undefined);
    hub.twins.patch(d2, { tags: { given: {}, list: [{ deep: 1 }], text: "text" } }, undefined);
    const documents = { name: "devices", shape: hub.twinDocuments.queried };
    const finds = (path: string) => {
      const isMatch = compileCondition(parseCondition(`IS_DEFINED(${path})`).expression, documents);
      return [isMatch(d1), isMatch(d2)];
    };
    for (const name of odd) {
      assert.deepEqual(finds(`tags.given.[[${name}]]`), [true, false], name);
      assert.deepEqual(finds(`tags.given.[[${name}]].deep`), [true, false], name);
      for (const holder of ["list", "text", "list.[[0]]"]) {
        assert.deepEqual(finds(`tags.${holder}.[[${name}]]`), [false, false], `${holder}, ${name}`);
      }
    }
    assert.deepEqual(finds("tags.given.deep"), [false, false]);
    assert.deepEqual(finds("tags.list.deep"), [false, false]);
    hub.close();
  });

  test("may be of modules where the text says so", () => {
    const hub = setup();
    const { source, expression } = parseCondition(
      "from devices.modules where moduleId = 'm' and deviceId = 'd2'",
      SOURCES,
    );
    assert.equal(source, "devices.modules");
    const isMatch = compileCondition(expression, { name: source!, shape: hub.twinDocuments.queried });
    const found = [...hub.store.modules.after(0)].filter(isMatch);
    assert.deepEqual(found.map(({ deviceId, moduleId }) => [deviceId, moduleId]), [["d2", "m"]]);
    hub.close();
  });

  test("tells which paths it names, as the documents have them", () => {
    const hub = setup();
    const documents = { name: "devices", shape: hub.twinDocuments.queried };
    const { expression } = parseCondition(
      "NOT IS_DEFINED(Tags.[[a]b]]) OR devices.deviceId IN ['x'] AND 1 + properties.reported.n > 2 OR Foo.Bar NIN [1]",
    );
    assert.deepEqual(pathsOf(expression).map((path) => resolvePath(path, documents)), [
      ["tags", "a]b"],
      ["deviceId"],
      ["properties", "reported", "n"],
      ["Foo", "Bar"],
    ]);
    hub.close();
  });

  for (
    const text of [
      "",
      "*",
      "WHERE deviceId = 'd1'",
      "deviceId = 'd1' GROUP BY status",
      "FROM devices WHERE deviceId = 'd1'",
      `deviceId = '${"x".repeat(8192)}'`,
    ]
  ) {
    test(`is refused where it is no condition: ${text.slice(0, 40)}`, () => {
      assert.throws(() => parseCondition(text), { code: "ArgumentInvalid", status: 400 });
    });
  }

  test("is refused where it is of a collection that it may not name", () => {
    assert.throws(
      () => parseCondition("FROM devices.jobs WHERE jobId = 'j'", SOURCES),
      /FROM must be followed by one of/,
    );
    assert.throws(() => parseCondition("FROM devices.modules", SOURCES), /WHERE is expected here/);
  });
});
