import { throwIfAborted } from "../timing/deadline.ts";
import { checkMembers } from "../values/members.ts";
import { badContinuationToken } from "./query_page.ts";

/** Settings for {@linkcode PagedAsyncIterableIterator.byPage}. */
export interface PageSettings {
  /** Starts with the page that follows the one with this token. By default the first page is read first. */
  continuationToken?: string | undefined;
  /** How many rows a page may have at most. By default it is the `maxItemCount` of the query, or else the hub decides. */
  maxPageSize?: number | undefined;
}

/**
 * A result that comes in pages. It can be read row by row with `for await`, or page by page. The Azure SDKs have an
 * interface of the same form.
 */
export interface PagedAsyncIterableIterator<T, TPage> extends AsyncIterableIterator<T, undefined, undefined> {
  /**
   * Returns the pages instead of the rows.
   *
   * @param settings Where to start, and how long a page may be. The token may come from another process.
   * @returns The pages, for `for await`.
   */
  byPage(settings?: PageSettings): AsyncIterableIterator<TPage, undefined, undefined>;
}

interface Page<T> {
  items: T[];
  continuationToken: string | undefined;
}

/** Fetches one page. */
type FetchPage<TPage> = (continuationToken: string | undefined, maxPageSize: number | undefined) => Promise<TPage>;

/**
 * Creates an iterator over the pages that `fetchPage` returns. It is not called before the first row or page is asked for.
 * Once the signal has fired, no further page is returned, not even one that has already arrived.
 *
 * @param operation The method that fetches a page, for the text of an error.
 */
export function pagedIterator<T, TPage extends Page<T>>(
  operation: string,
  fetchPage: FetchPage<TPage>,
  abortSignal?: AbortSignal,
): PagedAsyncIterableIterator<T, TPage> {
  const byPage = (settings?: PageSettings): AsyncGenerator<TPage, undefined> =>
    readPages(operation, fetchPage, settings ?? {}, abortSignal);
  return Object.assign(readRows<T>(byPage()), { byPage });
}

async function* readRows<T>(
  pages: AsyncIterable<Page<T>>,
): AsyncGenerator<T, undefined> {
  for await (const page of pages) {
    // This takes half as long per row as `yield*`, which treats the members of an array as promises.
    for (const row of page.items) yield row;
  }
}

async function* readPages<T, TPage extends Page<T>>(
  operation: string,
  fetchPage: FetchPage<TPage>,
  settings: PageSettings,
  abortSignal: AbortSignal | undefined,
): AsyncGenerator<TPage, undefined> {
  checkMembers("settings", settings, ["continuationToken", "maxPageSize"]);
  const { continuationToken, maxPageSize } = settings;
  let next: Promise<TPage> | undefined = fetchPage(continuationToken, maxPageSize);
  // A token that comes back would begin a circle. It is compared with the last one, and with the one from 1, 2, 4, … pages
  // after the start: a circle of any length meets such a mark, and no list of all tokens is needed.
  let last = continuationToken;
  let marked = last;
  let count = 0;
  while (next) {
    const page: TPage = await next;
    throwIfAborted(abortSignal);
    const token = page.continuationToken;
    if (token === undefined) next = undefined;
    else if (token === last || token === marked) {
      next = Promise.reject(badContinuationToken(operation, "one that it has given before"));
    } else next = fetchPage(token, maxPageSize);
    last = token;
    if ((++count & (count - 1)) === 0) marked = token;
    // The consumer may never ask for this page, and then its failure must not count as an unhandled rejection.
    next?.catch(() => {});
    yield page;
  }
}
