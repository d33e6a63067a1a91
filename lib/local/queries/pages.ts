import { cannotUse, quote } from "../../values/checks.ts";
import { readContinuation, writeContinuation } from "./continuation_token.ts";
import { invalidArgument, notInThisVersion } from "../hub_fault.ts";
import { parseQuery } from "./parser.ts";
import type { QueryPlan } from "./query_plan.ts";
import type { Queryable } from "./queryable.ts";

const MAX_PAGE_SIZE = 100;
const MAX_REMEMBERED_QUERIES = 100;
/** The collections of the language, of which a hub may have more or fewer. */
const SOURCES = ["devices", "devices.modules", "devices.jobs"];

/** A page of the result of a query. */
export interface QueryPage {
  items: readonly unknown[];
  /** What the items are, such as `Twin` or `Raw`. */
  itemType: string;
  /** The token for the next page; `undefined` on the last page. */
  continuation: string | undefined;
}

/** A query that the hub has run before. */
interface RememberedQuery {
  readonly plan: QueryPlan;
  readonly top: number;
  readonly itemType: string;
}

/** Runs queries page by page. It keeps no state between pages: the continuation token holds all of it. */
export class QueryPages {
  readonly #collections: ReadonlyMap<string, Queryable>;
  readonly #hubId = crypto.randomUUID();
  readonly #queries = new Map<string, RememberedQuery>();

  constructor(collections: readonly Queryable[]) {
    this.#collections = new Map(collections.map((collection) => [collection.name, collection]));
  }

  /**
   * Runs a query and returns one page of its result.
   *
   * @param text The text of the query.
   * @param pageSize The header `x-ms-max-item-count`.
   * @param token The header `x-ms-continuation`.
   * @returns The page.
   * @throws {HubFault} `ArgumentInvalid` (400) when the query, the page size or the token is not valid.
   */
  run(text: string, pageSize: string | null, token: string | null): QueryPage {
    const { plan, top, itemType } = this.#queryOf(text);
    const limit = readPageSize(pageSize);
    const from = token === null || token === "" ? undefined : readContinuation(this.#hubId, text, token);
    const left = top - (from?.taken ?? 0);
    const { items, last } = plan.rows(Math.min(limit, left), from?.after);
    const taken = (from?.taken ?? 0) + items.length;
    const isEnd = last === undefined || taken >= top;
    return {
      items,
      itemType,
      continuation: isEnd ? undefined : writeContinuation(this.#hubId, text, { after: last, taken }),
    };
  }

  /**
   * Returns how many rows a query has in all.
   *
   * @throws {HubFault} `ArgumentInvalid` (400) when the query is not valid.
   */
  count(text: string): number {
    const { plan, top } = this.#queryOf(text);
    return plan.rows(top, undefined).items.length;
  }

  /**
   * Checks a query without running it.
   *
   * @param sources The collections that it may be of.
   * @throws {QueryFault} `ArgumentInvalid` (400) when it is not valid.
   */
  check(text: string, sources: readonly string[]): void {
    const query = parseQuery(text, sources);
    this.#collections.get(query.source)!.plan(query);
  }

  #queryOf(text: string): RememberedQuery {
    const remembered = this.#queries.get(text);
    if (remembered !== undefined) return remembered;
    const query = parseQuery(text, [...new Set([...SOURCES, ...this.#collections.keys()])]);
    const collection = this.#collections.get(query.source);
    if (collection === undefined) throw notInThisVersion(`A query of ${query.source}`);
    const itemType = query.columns === undefined ? collection.itemType : "Raw";
    const compiled = { plan: collection.plan(query), top: query.top ?? Infinity, itemType };
    if (this.#queries.size >= MAX_REMEMBERED_QUERIES) this.#queries.clear();
    this.#queries.set(text, compiled);
    return compiled;
  }
}

/**
 * Reads how many rows a page may have: the header `x-ms-max-item-count`.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) when it is no whole number from 1 on.
 */
export function readPageSize(header: string | null): number {
  if (header === null || header === "") return MAX_PAGE_SIZE;
  const size = Number(header);
  if (Number.isInteger(size) && size > 0) return Math.min(size, MAX_PAGE_SIZE);
  throw invalidArgument(cannotUse(`x-ms-max-item-count ${quote(header)}`, "a whole number from 1 on"));
}
