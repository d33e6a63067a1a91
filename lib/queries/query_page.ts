import type { QuerySpecification } from "../../gen/types.gen.ts";
import { checkText, checkWhole } from "../values/checks.ts";
import { isObject } from "../values/json.ts";

/** What the rows of a result are: whole twins, rows of a projection (`"raw"`), records of jobs and others. */
export type QueryItemType =
  | "unknown"
  | "twin"
  | "deviceJob"
  | "jobResponse"
  | "raw"
  | "enrollment"
  | "enrollmentGroup"
  | "deviceRegistration";

/** One page of a query's result. */
export interface QueryResult<T = Record<string, unknown>> {
  /** What the rows are. */
  type: QueryItemType;
  /** The rows, as the hub sent them. */
  items: T[];
  /** Asks for the next page; `undefined` on the last one. */
  continuationToken: string | undefined;
}

const ITEM_TYPES: readonly QueryItemType[] = [
  "unknown",
  "twin",
  "deviceJob",
  "jobResponse",
  "raw",
  "enrollment",
  "enrollmentGroup",
  "deviceRegistration",
];

/** The body of a query; throws unless there is a text. */
export function queryBody(query: string | QuerySpecification): QuerySpecification {
  const text: unknown = isObject(query) ? query.query : query;
  checkText("query", text, /\S/, "a non-empty string");
  return { query: text };
}

/** The request headers that say which page is wanted. */
export function pagingHeaders(
  continuationToken: string | undefined,
  maxItemCount: number | undefined,
): { "x-ms-continuation"?: string; "x-ms-max-item-count"?: string } {
  if (continuationToken !== undefined) {
    // It goes back in a header as it came; one that a header cannot carry is none of the hub's.
    const form = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
    checkText("continuationToken", continuationToken, form, "visible ASCII; leave it out for the first page");
  }
  checkWhole("maxItemCount", maxItemCount, 1);
  return { "x-ms-continuation": continuationToken, "x-ms-max-item-count": maxItemCount?.toString() };
}

/** Puts a page together from the answer's body and headers. */
export function queryResult<T>(data: unknown, headers: { get(name: string): string | null }): QueryResult<T> {
  // The hub writes the type in Pascal case; the API description, and so our type, in camel case.
  const type = headers.get("x-ms-item-type")?.toLowerCase();
  return {
    type: ITEM_TYPES.find((known) => known.toLowerCase() === type) ?? "unknown",
    items: (data ?? []) as T[],
    // An empty token counts as none: both mean the end.
    continuationToken: headers.get("x-ms-continuation") || undefined,
  };
}
