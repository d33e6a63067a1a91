/** A cell: numbers stand at the right of their column, text at the left. */
export type Cell = string | number | boolean | undefined;

const MAX_CELL_WIDTH = 36;
const MAX_LINE_WIDTH = 96;

/** Lays out rows under a header, ready to be printed; a long cell is cut, and so is a long line. */
export function tableLines(header: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const texts = rows.map((row) => header.map((_, index) => cellText(row[index])));
  const widths = header.map((name, index) => Math.max(...[name, ...texts.map((row) => row[index] ?? "")].map(width)));
  const isNumber = header.map((_, index) => rows.length > 0 && rows.every((row) => typeof row[index] === "number"));
  function line(cells: readonly string[]): string {
    const padded = cells.map((cell, index) => {
      const padding = " ".repeat((widths[index] ?? 0) - width(cell));
      return isNumber[index] ? padding + cell : cell + padding;
    });
    return cut(padded.join("  ").trimEnd(), MAX_LINE_WIDTH);
  }
  return [line(header), line(widths.map((size) => "─".repeat(size))), ...texts.map(line)];
}

function cellText(cell: Cell): string {
  return cut(String(cell ?? ""), MAX_CELL_WIDTH);
}

/** `text` with at most `maxWidth` characters, the last of them an ellipsis where it was longer. */
export function cut(text: string, maxWidth: number): string {
  const characters = [...text];
  return characters.length > maxWidth ? `${characters.slice(0, maxWidth - 1).join("")}…` : text;
}

function width(text: string): number {
  return [...text].length;
}
