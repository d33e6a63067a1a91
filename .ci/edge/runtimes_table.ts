import type { Area } from "../../tests/conformance/check.ts";

const BEGIN = "<!-- runtimes:begin -->";
const END = "<!-- runtimes:end -->";

const COLUMNS: readonly [Area, string][] = [
  ["http", "HTTP"],
  ["amqp", "messages over TCP"],
  ["webSocket", "messages over a WebSocket"],
];

/** What a run has found out about one runtime. */
export interface RuntimeRow {
  readonly name: string;
  readonly entry: string;
  /** The areas in which every check passed; those left out are gaps. */
  readonly areas: ReadonlySet<Area>;
  /** What does not work there, and what to do about it. */
  readonly gaps: readonly string[];
}

/** The rows as Markdown, as `deno fmt` would have it, with the gaps below them. */
export function renderRuntimes(rows: readonly RuntimeRow[]): string {
  const header = ["runtime", "entry", ...COLUMNS.map(([, title]) => title)];
  const lines = rows.map(({ name, entry, areas }) => [
    name,
    `\`${entry}\``,
    ...COLUMNS.map(([area]) => areas.has(area) ? "yes" : "no"),
  ]);
  const widths = header.map((_, column) => Math.max(...[header, ...lines].map((line) => line[column]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, column) => text.padEnd(widths[column]!)).join(" | ")} |`;
  const table = [line(header), line(widths.map((width) => "-".repeat(width))), ...lines.map(line)];
  const gaps = rows.flatMap(({ name, gaps }) => gaps.map((gap) => wrap(`- **${name}**: ${gap}`)));
  return [...table, "", ...gaps].join("\n");
}

/** A text with the table between its marks. */
export function withRuntimes(text: string, rows: readonly RuntimeRow[]): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`The text must have the lines ${BEGIN} and ${END}`);
  return `${text.slice(0, begin + BEGIN.length)}\n\n${renderRuntimes(rows)}\n\n${text.slice(end)}`;
}

/** Breaks a list item into lines as `deno fmt` does. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > 120) {
      lines.push(line);
      line = `  ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}
