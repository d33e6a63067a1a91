/** Rows as a table, as `deno fmt` would have it; the first row is its head. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

/** A text with something new between the marks of a section: `<!-- name:begin -->` and `<!-- name:end -->`. */
export function withSection(text: string, name: string, content: string): string {
  const [beginMark, endMark] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const begin = text.indexOf(beginMark);
  const end = text.indexOf(endMark, begin);
  if (begin < 0 || end < 0) throw new Error(`The text must have the lines ${beginMark} and ${endMark}`);
  return `${text.slice(0, begin + beginMark.length)}\n\n${content}\n\n${text.slice(end)}`;
}
