import { FAULT_TABLE, type FaultGroup, type Handling, type OperationClass } from "./fault_table.ts";

const BEGIN = "<!-- reliability:begin -->";
const END = "<!-- reliability:end -->";

const COLUMNS: readonly [OperationClass, string][] = [
  ["read", "reads, queries"],
  ["write", "updates, deletes, purge"],
  ["once", "creates, bulk, direct methods"],
];

/** The fault table as Markdown, as `deno fmt` would have it. */
export function renderReliability(): string {
  const header = ["what happens", ...COLUMNS.map(([, title]) => title), "the error, if it comes to that"];
  const rows = FAULT_TABLE.map((group) => [
    group.what,
    ...COLUMNS.map(([column]) => cell(group.handling[column])),
    errorText(group),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** A text with the table between its marks. */
export function withReliability(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`The text must have the lines ${BEGIN} and ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${renderReliability()}\n\n${text.slice(end)}`;
}

function cell(handling: Handling): string {
  return handling === "repeated" ? "**repeated**" : handling;
}

function errorText({ errorText, faults }: FaultGroup): string {
  const codes = faults.map(({ error }) => error === "reason" ? error : error.code);
  return errorText ?? [...new Set(codes)].map((code) => `\`${code}\``).join(", ");
}
