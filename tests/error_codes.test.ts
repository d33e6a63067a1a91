import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { anyErrorNameOf, anyErrorNumberOf } from "../lib/all_error_codes.ts";
import { errorNameOf, errorNumberOf } from "../lib/error_codes.ts";

describe("the hub's error codes", () => {
  const numbers = Array.from({ length: 200_000 }, (_, index) => 400_000 + index);
  const known = numbers.filter((number) => anyErrorNameOf(number) !== undefined);

  test("are found by name and by number", () => {
    assert.equal(known.length, 91);
    assert.equal(new Set(known.map(anyErrorNameOf)).size, 91);
    for (const number of known) assert.equal(anyErrorNumberOf(anyErrorNameOf(number)!), number);
  });

  test("of HTTP are those of the calls that go over it", () => {
    const overHttp = numbers.filter((number) => errorNameOf(number) !== undefined);
    assert.equal(overHttp.length, 58);
    for (const number of overHttp) assert.equal(errorNumberOf(errorNameOf(number)), number);
    for (const name of ["JobNotFound", "ConfigurationNotFound", "DeviceMessageLockLost", "LinkCreationConflict"]) {
      assert.equal(errorNumberOf(name), undefined);
      assert.ok(anyErrorNumberOf(name) !== undefined);
    }
  });

  test("are no members that every object has", () => {
    for (const name of ["constructor", "toString", "__proto__", ""]) {
      assert.equal(errorNumberOf(name), undefined);
      assert.equal(anyErrorNumberOf(name), undefined);
    }
  });
});
