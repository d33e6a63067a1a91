import { HubFault } from "../hub_fault.ts";

/** 400 `ArgumentInvalid`, as the real hub answers a query that is not valid. The local hub adds the reason. */
export class QueryFault extends HubFault {
  /** What is wrong with the query, and where. */
  readonly reason: string;

  constructor(reason: string) {
    super("ArgumentInvalid", 400, `BadRequest: ${reason}`);
    this.reason = reason;
  }
}

/** The error for a query as a whole. */
export function invalidQuery(problem: string): QueryFault {
  return new QueryFault(`the query is not valid: ${problem}`);
}

/** The same for a problem at a place of the text. */
export function invalidQueryAt(text: string, position: number, problem: string): QueryFault {
  const near = text.slice(position, position + 20);
  const where = near === "" ? "at its end" : `at position ${position}, near ${JSON.stringify(near)}`;
  return new QueryFault(`the query is not valid ${where}: ${problem}`);
}
