import { type Complaint, type CsvLine, readCsvLines } from "./csv_lines.ts";
import { dropOrphans } from "./family_tree.ts";

/** A device as the fleet file describes it. */
export interface FleetDevice {
  line: number;
  deviceId: string;
  model: string;
  site: string;
  hall: string;
  floor: number;
  /** A date such as `2024-05-31`. */
  installed: string;
  authentication: Authentication;
  primaryThumbprint?: string;
  secondaryThumbprint?: string;
  status: "enabled" | "disabled";
  statusReason?: string;
  iotEdge: boolean;
  /** The id of the IoT Edge gateway that the device is behind. */
  parent?: string;
  intervalInSeconds?: number;
  firmwareChannel?: string;
}

/** What a fleet file holds: devices that can be registered, and complaints about the other lines. */
export interface FleetFile {
  devices: FleetDevice[];
  complaints: Complaint[];
}

type Authentication = typeof AUTHENTICATIONS[number];
type Column = typeof COLUMNS[number];
type Row = Record<Column, string>;
type Fault = [column: Column, reason: string];

const COLUMNS = [
  "deviceId",
  "model",
  "site",
  "hall",
  "floor",
  "installed",
  "authentication",
  "primaryThumbprint",
  "secondaryThumbprint",
  "status",
  "statusReason",
  "iotEdge",
  "parent",
  "intervalInSeconds",
  "firmwareChannel",
] as const;
const AUTHENTICATIONS = ["sas", "x509", "ca"] as const;
const CHANNELS = ["stable", "beta"];

const ID_REGEXP = /^(?!\.{1,2}$)[A-Za-z0-9\-:.+%_#*?!(),=@;$']{1,128}$/;
const THUMBPRINT_REGEXP = /^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64})$/;
const MAX_REASON_LENGTH = 128;
const MAX_INTERVAL_IN_SECONDS = 86_400;

/**
 * Reads a fleet file. A line that cannot be used is complained about and left out, the others stay.
 *
 * @throws {SyntaxError} where the header does not name the columns, since then no line can be understood
 */
export function readFleetFile(text: string): FleetFile {
  const { lines, complaints } = readCsvLines(text);
  const columns = checkHeader(lines.shift());
  const devices: FleetDevice[] = [];
  const lineOf = new Map<string, number>();
  for (const { line, fields } of lines) {
    if (fields.length !== columns.length) {
      const reason = `has ${fields.length} fields instead of ${columns.length}`;
      complaints.push({ line, value: fields.join(","), reason });
      continue;
    }
    const row = Object.fromEntries(columns.map((column, index) => [column, fields[index]])) as Row;
    const faults = [...faultsOf(row)];
    const earlier = lineOf.get(row.deviceId);
    if (earlier === undefined) lineOf.set(row.deviceId, line);
    else if (row.deviceId !== "") faults.push(["deviceId", `is on line ${earlier} already`]);
    for (const [column, reason] of faults) complaints.push({ line, column, value: row[column], reason });
    if (faults.length === 0) devices.push(toDevice(line, row));
  }
  const families = dropOrphans(devices, lineOf);
  const all = [...complaints, ...families.complaints].sort((a, b) => a.line - b.line);
  return { devices: families.devices, complaints: all };
}

function checkHeader(header: CsvLine | undefined): Column[] {
  if (header === undefined) throw new SyntaxError("The file is empty: its first line must name the columns");
  const missing = COLUMNS.filter((column) => !header.fields.includes(column));
  const unknown = header.fields.filter((field, index, fields) =>
    !COLUMNS.some((column) => column === field) || fields.indexOf(field) !== index
  );
  if (missing.length > 0 || unknown.length > 0) {
    const faults = [
      missing.length > 0 && `lacks ${missing.join(", ")}`,
      unknown.length > 0 && `has ${unknown.map((field) => JSON.stringify(field)).join(", ")} too much`,
    ];
    throw new SyntaxError(`Line ${header.line} must name the columns, and ${faults.filter(Boolean).join(" and ")}`);
  }
  return header.fields as Column[];
}

function* faultsOf(row: Row): Generator<Fault> {
  yield* identityFaults(row);
  yield* authenticationFaults(row);
  for (const column of ["model", "site", "hall"] as const) {
    if (row[column] === "") yield [column, "must not be empty"];
  }
  if (!/^-?\d{1,3}$/.test(row.floor)) yield ["floor", "must be a whole number"];
  if (!isDate(row.installed)) yield ["installed", "must be a date such as 2024-05-31"];
  const interval = row.intervalInSeconds;
  if (interval !== "" && !(/^\d{1,6}$/.test(interval) && +interval >= 1 && +interval <= MAX_INTERVAL_IN_SECONDS)) {
    yield ["intervalInSeconds", `must be a whole number from 1 to ${MAX_INTERVAL_IN_SECONDS}`];
  }
  if (row.firmwareChannel !== "" && !CHANNELS.includes(row.firmwareChannel)) {
    yield ["firmwareChannel", `must be ${CHANNELS.join(" or ")}`];
  }
}

function* identityFaults(row: Row): Generator<Fault> {
  if (row.deviceId === "") yield ["deviceId", "must not be empty"];
  else if (!ID_REGEXP.test(row.deviceId)) {
    yield ["deviceId", "must be 1 to 128 of A-Z a-z 0-9 - : . + % _ # * ? ! ( ) , = @ ; $ ', not just dots"];
  }
  if (!["", "enabled", "disabled"].includes(row.status)) yield ["status", "must be enabled or disabled"];
  if (row.statusReason.length > MAX_REASON_LENGTH) {
    yield ["statusReason", `has ${row.statusReason.length} characters, ${MAX_REASON_LENGTH} are allowed`];
  }
  if (!["", "yes", "no"].includes(row.iotEdge)) yield ["iotEdge", "must be yes or no"];
}

function* authenticationFaults(row: Row): Generator<Fault> {
  const thumbprints = ["primaryThumbprint", "secondaryThumbprint"] as const;
  if (!AUTHENTICATIONS.some((authentication) => authentication === row.authentication)) {
    yield ["authentication", "must be sas, x509 or ca"];
  } else if (row.authentication !== "x509") {
    for (const column of thumbprints) {
      if (row[column] !== "") yield [column, `is for x509, and this device has ${row.authentication}`];
    }
    return;
  } else if (row.primaryThumbprint === "") {
    yield ["primaryThumbprint", "must not be empty for x509"];
  }
  for (const column of thumbprints) {
    if (row[column] !== "" && !THUMBPRINT_REGEXP.test(row[column])) {
      yield [column, "must be 40 or 64 hexadecimal digits (SHA-1 or SHA-256)"];
    }
  }
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function toDevice(line: number, row: Row): FleetDevice {
  return {
    line,
    deviceId: row.deviceId,
    model: row.model,
    site: row.site,
    hall: row.hall,
    floor: Number(row.floor),
    installed: row.installed,
    authentication: row.authentication as Authentication,
    ...(row.primaryThumbprint !== "" && { primaryThumbprint: row.primaryThumbprint }),
    ...(row.secondaryThumbprint !== "" && { secondaryThumbprint: row.secondaryThumbprint }),
    status: row.status === "disabled" ? "disabled" : "enabled",
    ...(row.statusReason !== "" && { statusReason: row.statusReason }),
    iotEdge: row.iotEdge === "yes",
    ...(row.parent !== "" && { parent: row.parent }),
    ...(row.intervalInSeconds !== "" && { intervalInSeconds: Number(row.intervalInSeconds) }),
    ...(row.firmwareChannel !== "" && { firmwareChannel: row.firmwareChannel }),
  };
}
