import { cannotUse } from "../../values/checks.ts";
import { HubFault } from "../hub_fault.ts";
import { isJsonObject } from "../json.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `POST /devices/query`: runs a query and returns one page of its result. */
export async function queryTwins(call: RestCall): Promise<RestAnswer> {
  const body = await call.json();
  const text = isJsonObject(body) ? body["query"] : undefined;
  if (typeof text !== "string" || text === "") {
    throw new HubFault("ArgumentNull", 400, `BadRequest: ${cannotUse("the body", '{ "query": "SELECT ..." }')}`);
  }
  const { headers } = call.request;
  const page = call.hub.queries.run(text, headers.get("x-ms-max-item-count"), headers.get("x-ms-continuation"));
  return ok(page.items, {
    "x-ms-item-type": page.itemType,
    ...(page.continuation !== undefined && { "x-ms-continuation": page.continuation }),
  });
}
