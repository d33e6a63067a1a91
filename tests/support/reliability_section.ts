import { FAULT_TABLE, type FaultGroup, type Handling, type OperationClass } from "./fault_table.ts";
import { markdownTable } from "./markdown.ts";

const COLUMNS: readonly [OperationClass, string][] = [
  ["read", "reads, queries"],
  ["write", "updates, deletes, purge"],
  ["once", "creates, bulk, direct methods"],
];

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

function cell(handling: Handling): string {
  return handling === "repeated" ? "**repeated**" : handling;
}

function errorText({ errorText, faults }: FaultGroup): string {
  const codes = faults.map(({ error }) => error === "reason" ? error : error.code);
  return errorText ?? [...new Set(codes)].map((code) => `\`${code}\``).join(", ");
}
