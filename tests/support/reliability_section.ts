import * as OPERATIONS from "../../lib/transport/operations.ts";
import { FAULT_TABLE, type FaultGroup, type Handling, type OperationClass } from "./fault_table.ts";
import { markdownTable } from "./markdown.ts";

const COLUMNS: readonly [OperationClass, string][] = [
  ["read", "reads, queries"],
  ["write", "updates, deletes, purge"],
  ["once", "creates, bulk, direct methods, commands"],
];

/** Messages are repeated in their own way, which their page tells. */
const HTTP_OPERATIONS = Object.values(OPERATIONS).filter(({ noun }) => noun !== "C2dMessages");

/** The fault table as Markdown. */
export function renderReliability(): string {
  const head = ["what happens", ...COLUMNS.map(([, title]) => title), "the error, if it comes to that"];
  const rows = FAULT_TABLE.map((group) => [
    group.what,
    ...COLUMNS.map(([column]) => cell(group.handling[column])),
    errorText(group),
  ]);
  return markdownTable([head, ...rows]);
}

/** Which methods may reach the hub twice, by the right that they need. */
export function renderRepetitions(): string {
  const rights = [...new Set(HTTP_OPERATIONS.map(({ right }) => right))];
  const rows = rights.map((right) => [right, namesOf(right, true), namesOf(right, false)]);
  return markdownTable([
    ["needs the right", "may be sent twice", "sent again only if the hub cannot have run it"],
    ...rows,
  ]);
}

function namesOf(wantedRight: string, wanted: boolean): string {
  return HTTP_OPERATIONS
    .filter(({ mayRunTwice, right }) => mayRunTwice === wanted && right === wantedRight)
    .map(({ name }) => `\`${name}\``).join(", ");
}

function cell(handling: Handling): string {
  return handling === "repeated" ? "**repeated**" : handling;
}

function errorText({ errorText, faults }: FaultGroup): string {
  const codes = faults.map(({ error }) => error === "reason" ? error : error.code);
  return errorText ?? [...new Set(codes)].map((code) => `\`${code}\``).join(", ");
}
