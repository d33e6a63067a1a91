/**
 * The text of a query for the whole twins of devices. The rows of other queries are what these select, so their type has
 * to be named.
 */
export type TwinQuery = `${"SELECT" | "select"} * ${"FROM" | "from"} devices${"" | `${" " | "\n"}${string}`}`;

/** The text of a query for the whole twins of modules. */
export type ModuleTwinQuery = `${"SELECT" | "select"} * ${"FROM" | "from"} devices.modules${
  | ""
  | `${" " | "\n"}${string}`}`;
