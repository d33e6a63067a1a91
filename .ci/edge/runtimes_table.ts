import type { Area } from "../../tests/conformance/check.ts";
import { markdownTable, withSection } from "../../tests/support/markdown.ts";

const COLUMNS: readonly [Area, string][] = [
  ["http", "HTTP"],
  ["amqp", "messages and events over TCP"],
  ["webSocket", "both over a WebSocket"],
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

/** The rows as Markdown, with the gaps below them. */
export function renderRuntimes(rows: readonly RuntimeRow[]): string {
  const head = ["runtime", "entry", ...COLUMNS.map(([, title]) => title)];
  const lines = rows.map(({ name, entry, areas }) => [
    name,
    `\`${entry}\``,
    ...COLUMNS.map(([area]) => areas.has(area) ? "yes" : "no"),
  ]);
  const gaps = rows.flatMap(({ name, gaps }) => gaps.map((gap) => wrap(`- **${name}**: ${gap}`)));
  return [markdownTable([head, ...lines]), "", ...gaps].join("\n");
}

/** A text with the table between its marks. */
export function withRuntimes(text: string, rows: readonly RuntimeRow[]): string {
  return withSection(text, "runtimes", renderRuntimes(rows));
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
