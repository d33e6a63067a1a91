import { CsvError, parse } from "csv-parse/sync";
import { cut } from "./table.ts";

const MAX_VALUE_WIDTH = 40;

/** A line of a CSV file, taken apart. */
export interface CsvLine {
  /** Counted from 1, comments and blank lines included. */
  line: number;
  fields: string[];
}

/** What is wrong with a line of the fleet file. */
export interface Complaint {
  line: number;
  /** The column; left out where the line as a whole is wrong. */
  column?: string;
  /** What stands there. */
  value: string;
  /** Why it cannot be used; goes on after the value as a sentence does. */
  reason: string;
}

/**
 * Takes a CSV file apart (RFC 4180, `#` starts a comment line). A quoted field ends on the line it began on: so one
 * forgotten quote costs one device and not the rest of the file.
 */
export function readCsvLines(text: string): { lines: CsvLine[]; complaints: Complaint[] } {
  const lines: CsvLine[] = [];
  const complaints: Complaint[] = [];
  for (const [index, lineText] of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/).entries()) {
    try {
      const records = parse(lineText, { comment: "#", comment_no_infix: true, skip_empty_lines: true, trim: true });
      if (records[0] !== undefined) lines.push({ line: index + 1, fields: records[0] });
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      complaints.push({ line: index + 1, value: lineText, reason: quoteFault(error) });
    }
  }
  return { lines, complaints };
}

function quoteFault(error: CsvError): string {
  return error.code === "CSV_QUOTE_NOT_CLOSED"
    ? "has a quote that is not closed on this line"
    : "has a quote in the middle of a field; put the whole field in quotes and double those inside";
}

/** A complaint as one line of text. */
export function complaintText({ line, column, value, reason }: Complaint): string {
  const shown = JSON.stringify(cut(value, MAX_VALUE_WIDTH));
  return `line ${line}: ${column === undefined ? "" : `${column} `}${shown} ${reason}`;
}
