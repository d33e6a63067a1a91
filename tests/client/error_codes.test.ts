import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { errorNameOf, errorNumberOf } from "../../lib/errors/error_codes.ts";

describe("the hub's error codes", () => {
  const numbers = Array.from({ length: 200_000 }, (_, index) => 400_000 + index);
  const known = numbers.filter((number) => errorNameOf(number) !== undefined);

  test("are found by name and by number", () => {
    assert.equal(known.length, 91);
    assert.equal(new Set(known.map(errorNameOf)).size, 91);
    for (const number of known) assert.equal(errorNumberOf(errorNameOf(number)!), number);
  });

  test("are no members that every object has", () => {
    for (const name of ["constructor", "toString", "__proto__", ""]) {
      assert.equal(errorNumberOf(name), undefined);
    }
  });
});
