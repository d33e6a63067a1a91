/** A part of the rows of a query. */
export interface Rows {
  readonly items: readonly unknown[];
  /** Where they end if more follow: the number of the last record, or the key of the last group. */
  readonly last?: number | string | undefined;
}

/** A query, compiled and ready to run. */
export interface QueryPlan {
  /** Returns at most `size` rows: the first ones, or those after the place where earlier rows have ended. */
  rows(size: number, after: number | string | undefined): Rows;
}
