import assert from "node:assert/strict";
import { test } from "node:test";
import { mayRunTwice, type OperationName, rightFor } from "../../lib/transport/operations.ts";
import { OPERATION_TABLE } from "../support/operation_table.ts";

test("a method's name tells whether it may run twice, and the right that it needs", () => {
  const names = Object.keys(OPERATION_TABLE) as OperationName[];
  const told = names.map((name) => [name, [mayRunTwice(name), rightFor(name)]]);
  assert.deepEqual(Object.fromEntries(told), OPERATION_TABLE);
});

test("a method whose name tells nothing is one that may not run twice", () => {
  assert.ok(!mayRunTwice("startSomething" as OperationName));
});
