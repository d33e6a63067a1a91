import type { Twin } from "../../../gen/index.ts";
import { cannotUse, quote } from "../../values/checks.ts";
import { type Continuation, readContinuation, writeContinuation } from "./continuation_token.ts";
import { invalidArgument, notInThisVersion } from "../hub_fault.ts";
import { emptyJsonObject } from "../json.ts";
import type { IdentityQueues } from "../identities/identity_queues.ts";
import type { AnyRecord } from "../records/identity_records.ts";
import type { IdentityStore } from "../records/identity_store.ts";
import { compile, compilePath, type Evaluator } from "./evaluator.ts";
import { groupRows } from "./groups.ts";
import { type Column, parseQuery, type Query } from "./parser.ts";
import { queriedTwinDocument } from "../twins/twin_documents.ts";

const MAX_PAGE_SIZE = 100;
const MAX_REMEMBERED_QUERIES = 100;

/** A page of the result of a query. */
export interface QueryPage {
  items: unknown[];
  itemType: "Twin" | "Raw";
  /** The token for the next page; `undefined` on the last page. */
  continuation: string | undefined;
}

/** A query, compiled and ready to run. */
interface Plan {
  readonly query: Query;
  readonly isMatch: (row: Twin) => boolean;
  readonly project: (row: Twin) => unknown;
}

/** Runs queries page by page. It keeps no state between pages: the continuation token holds all of it. */
export class QueryPages {
  readonly #store: IdentityStore;
  readonly #queues: IdentityQueues;
  readonly #hubId = crypto.randomUUID();
  readonly #plans = new Map<string, Plan>();

  constructor(store: IdentityStore, queues: IdentityQueues) {
    this.#store = store;
    this.#queues = queues;
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
    const plan = this.#planOf(text);
    const limit = readPageSize(pageSize);
    const from = token === null || token === "" ? undefined : readContinuation(this.#hubId, text, token);
    const taken = from?.taken ?? 0;
    const size = Math.min(limit, (plan.query.top ?? Infinity) - taken);
    const { items, last } = isGrouped(plan.query)
      ? this.#pageOfGroups(plan, size, from)
      : this.#pageOfTwins(plan, size, from);
    const isEnd = last === undefined || taken + items.length >= (plan.query.top ?? Infinity);
    return {
      items,
      itemType: plan.query.columns === undefined ? "Twin" : "Raw",
      continuation: isEnd
        ? undefined
        : writeContinuation(this.#hubId, text, { after: last, taken: taken + items.length }),
    };
  }

  /** Returns a page, and as `last` where it ended if more rows follow. */
  #pageOfTwins(plan: Plan, size: number, from: Continuation | undefined): { items: unknown[]; last?: number } {
    const items: unknown[] = [];
    let last = Number(from?.after ?? 0);
    for (const record of this.#records(plan.query, last)) {
      const row = queriedTwinDocument(record, this.#queues.count(record));
      if (!plan.isMatch(row)) continue;
      if (items.length >= size) return { items, last };
      items.push(plan.project(row));
      last = record.sequence;
    }
    return { items };
  }

  #pageOfGroups(plan: Plan, size: number, from: Continuation | undefined): { items: unknown[]; last?: string } {
    const rows = groupRows(plan.query, this.#matches(plan)).filter(({ key }) =>
      from === undefined || key > String(from.after)
    );
    const page = rows.slice(0, size);
    const last = page.at(-1)?.key;
    return { items: page.map(({ row }) => row), ...(page.length < rows.length && last !== undefined && { last }) };
  }

  *#matches(plan: Plan): Generator<Twin> {
    for (const record of this.#records(plan.query, 0)) {
      const row = queriedTwinDocument(record, this.#queues.count(record));
      if (plan.isMatch(row)) yield row;
    }
  }

  #records(query: Query, after: number): Iterable<AnyRecord> {
    return query.source === "devices" ? this.#store.devices.after(after) : this.#store.modules.after(after);
  }

  #planOf(text: string): Plan {
    const remembered = this.#plans.get(text);
    if (remembered !== undefined) return remembered;
    const query = parseQuery(text);
    if (query.source === "devices.jobs") throw notInThisVersion("A query of devices.jobs");
    const plan = { query, isMatch: compileWhere(query), project: compileProjection(query) };
    if (this.#plans.size >= MAX_REMEMBERED_QUERIES) this.#plans.clear();
    this.#plans.set(text, plan);
    return plan;
  }
}

function compileWhere(query: Query): (row: Twin) => boolean {
  if (query.where === undefined) return () => true;
  const condition = compile(query.where, query.source);
  return (row) => condition(row) === true;
}

function compileProjection(query: Query): (row: Twin) => unknown {
  if (query.columns === undefined) return (row) => row;
  const columns: [Column, Evaluator][] = query.columns.map((column) => [
    column,
    compilePath(column.path, query.source),
  ]);
  return (row) => {
    const projected: Record<string, unknown> = emptyJsonObject();
    for (const [column, valueOf] of columns) {
      const value = valueOf(row);
      if (value !== undefined) projected[column.name] = value;
    }
    return projected;
  };
}

function isGrouped(query: Query): boolean {
  return query.groupBy.length > 0 || (query.columns?.some((column) => column.kind === "aggregate") ?? false);
}

function readPageSize(header: string | null): number {
  if (header === null || header === "") return MAX_PAGE_SIZE;
  const size = Number(header);
  if (Number.isInteger(size) && size > 0) return Math.min(size, MAX_PAGE_SIZE);
  throw invalidArgument(cannotUse(`x-ms-max-item-count ${quote(header)}`, "a whole number from 1 on"));
}
