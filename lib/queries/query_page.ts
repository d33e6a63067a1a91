import type { QuerySpecification } from "../../gen/types.gen.ts";
import type { IoTHubError } from "../errors/errors.ts";
import { failure } from "../errors/failures.ts";
import { checkText, checkWhole } from "../values/checks.ts";
import { isObject } from "../values/json.ts";
import { checkMembers } from "../values/members.ts";

/** The type of a result's rows, such as whole twins (`"twin"`), rows of a projection (`"raw"`), or records of jobs. */
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
  /** The type of the rows. */
  type: QueryItemType;
  /** The rows, as the hub sent them. */
  items: T[];
  /** The token with which to ask for the next page; `undefined` on the last one. */
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

const TOKEN = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;

/** Returns the body of a request for a query. Throws unless the query's text is there. */
export function queryBody(query: string | QuerySpecification): QuerySpecification {
  if (isObject(query)) checkMembers("query", query, ["query"]);
  const text: unknown = isObject(query) ? query.query : query;
  checkText("query", text, /\S/, "a non-empty string");
  return { query: text };
}

/** Returns the request headers that select a page. */
export function pagingHeaders(
  continuationToken: string | undefined,
  maxItemCount: number | undefined,
): { "x-ms-continuation"?: string | undefined; "x-ms-max-item-count"?: string | undefined } {
  if (continuationToken !== undefined) {
    // The token is sent in a header, as it came. One that a header cannot contain does not come from the hub.
    checkText("continuationToken", continuationToken, TOKEN, "visible ASCII; leave it out for the first page");
  }
  checkWhole("maxItemCount", maxItemCount, 1);
  return { "x-ms-continuation": continuationToken, "x-ms-max-item-count": maxItemCount?.toString() };
}

/** Builds a page from the body and the headers of an answer. */
export function queryResult<T>(data: unknown, headers: { get(name: string): string | null }): QueryResult<T> {
  // The hub writes the type in Pascal case. The API description, and so our type, has it in camel case.
  const type = headers.get("x-ms-item-type")?.toLowerCase();
  // An empty token means the end, as a missing one does.
  const continuationToken = headers.get("x-ms-continuation") || undefined;
  if (continuationToken !== undefined && !TOKEN.test(continuationToken)) {
    throw badContinuationToken("one that no header can carry back");
  }
  return {
    type: ITEM_TYPES.find((known) => known.toLowerCase() === type) ?? "unknown",
    items: data as T[],
    continuationToken,
  };
}

/** Returns the error for a continuation token with which the query cannot go on. `what` says what is wrong with it. */
export function badContinuationToken(what: string): IoTHubError {
  const reason = `the hub's continuation token is ${what}`;
  return failure({ operation: "queryIotHub" }, "InvalidResponse", reason);
}
