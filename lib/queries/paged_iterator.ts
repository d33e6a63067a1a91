/** What {@linkcode PagedAsyncIterableIterator.byPage} can be told. */
export interface PageSettings {
  /** Start with the page after the one that had this token. */
  continuationToken?: string;
  /** How many rows a page may have at most. */
  maxPageSize?: number;
}

/**
 * A result in pages, read row by row with `for await`, or page by page; of the shape that the Azure SDKs use.
 */
export interface PagedAsyncIterableIterator<T, TPage> extends AsyncIterableIterator<T, undefined, undefined> {
  /** Gives the pages instead of the rows, on request from the middle on: a token may come from another process. */
  byPage(settings?: PageSettings): AsyncIterableIterator<TPage, undefined, undefined>;
}

interface Page<T> {
  items: T[];
  continuationToken: string | undefined;
}

/** Asks for one page. */
type FetchPage<TPage> = (continuationToken: string | undefined, maxPageSize: number | undefined) => Promise<TPage>;

/**
 * Rows and pages over `fetchPage`, which is not called before a row or page is wanted. A page that has
 * come already is not given out once the signal has fired.
 */
export function pagedIterator<T, TPage extends Page<T>>(
  fetchPage: FetchPage<TPage>,
  abortSignal?: AbortSignal,
): PagedAsyncIterableIterator<T, TPage> {
  const byPage = (settings?: PageSettings): AsyncGenerator<TPage, undefined> =>
    readPages(fetchPage, settings ?? {}, abortSignal);
  return Object.assign(readRows<T>(byPage()), { byPage });
}

async function* readRows<T>(
  pages: AsyncIterable<Page<T>>,
): AsyncGenerator<T, undefined> {
  for await (const page of pages) {
    // Half the time per row of `yield*`, which takes an array for a source of promises.
    for (const row of page.items) yield row;
  }
}

async function* readPages<T, TPage extends Page<T>>(
  fetchPage: FetchPage<TPage>,
  { continuationToken, maxPageSize }: PageSettings,
  abortSignal: AbortSignal | undefined,
): AsyncGenerator<TPage, undefined> {
  let next: Promise<TPage> | undefined = fetchPage(continuationToken, maxPageSize);
  while (next) {
    const page: TPage = await next;
    abortSignal?.throwIfAborted();
    const token = page.continuationToken;
    next = token === undefined ? undefined : fetchPage(token, maxPageSize);
    // The consumer may never come back for it; then its failure must not count as unhandled.
    next?.catch(() => {});
    yield page;
  }
}
