import { HubFault } from "../hub_fault.ts";

/** 400 `ArgumentInvalid`, as the real hub answers a query that is not valid. The local hub adds the reason. */
export function invalidQuery(problem: string): HubFault {
  return fault("", problem);
}

/** The same for a problem at a place of the text. */
export function invalidQueryAt(text: string, position: number, problem: string): HubFault {
  const near = text.slice(position, position + 20);
  return fault(near === "" ? " at its end" : ` at position ${position}, near ${JSON.stringify(near)}`, problem);
}

function fault(where: string, problem: string): HubFault {
  return new HubFault("ArgumentInvalid", 400, `BadRequest: the query is not valid${where}: ${problem}`);
}
