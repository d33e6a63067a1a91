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

/** The headers of an answer. */
export interface AnswerHeaders {
  get(name: string): string | null;
}

/** Builds a page of a query from the body and the headers of its answer. */
export function queryResult<T>(operation: string, data: unknown, headers: AnswerHeaders): QueryResult<T> {
  // The hub writes the type in Pascal case. The API description, and so our type, has it in camel case.
  const type = headers.get("x-ms-item-type")?.toLowerCase();
  return {
    type: ITEM_TYPES.find((known) => known.toLowerCase() === type) ?? "unknown",
    items: data as T[],
    continuationToken: nextToken(operation, headers.get("x-ms-continuation")),
  };
}

/** Returns the token of the next page as the hub sent it, or `undefined` on the last page. */
export function nextToken(operation: string, sent: unknown): string | undefined {
  // An empty token means the end, as a missing one does.
  if (!sent) return undefined;
  if (typeof sent === "string" && TOKEN.test(sent)) return sent;
  throw badContinuationToken(operation, "one that no header can carry back");
}

/** Returns the error for a continuation token with which a query cannot go on. `what` says what is wrong with it. */
export function badContinuationToken(operation: string, what: string): IoTHubError {
  return failure({ operation }, "InvalidResponse", `the hub's continuation token is ${what}`);
}
