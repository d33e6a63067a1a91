import type { Receiver, Sender, Source } from "rhea";
import { wrongArgument } from "../argument_faults.ts";
import { MODEL_ID } from "../presence/model_id.ts";

const MODEL_ID_PROPERTY = "com.microsoft:model-id";

/** Returns the address of a link's end; one that is no string is like none. */
export function addressOf(terminus: { address?: unknown } | undefined): string {
  const address = terminus?.address;
  return typeof address === "string" ? address : "";
}

/**
 * Names both ends in the answer to an attach. Some clients read them, and a missing end says that the link is refused.
 * Only their addresses are repeated, since the hub has no filters, no durable ends and no dynamic nodes.
 */
export function echo(link: Receiver | Sender): void {
  link.set_source(endOf(link.source));
  link.set_target(endOf(link.target));
}

/** An end with no more than the address of another; the library's types want an address, and AMQP does not. */
function endOf(terminus: { address?: unknown } | undefined): Source {
  const address = addressOf(terminus);
  return (address === "" ? {} : { address }) as Source;
}

/** Returns the model that a device announces with its first link. */
export function readModelId(properties: Record<string, unknown> | undefined): string | undefined {
  const given = properties ?? {};
  const modelId = Object.hasOwn(given, MODEL_ID_PROPERTY) ? given[MODEL_ID_PROPERTY] : undefined;
  if (modelId === undefined || modelId === null) return undefined;
  if (typeof modelId === "string" && MODEL_ID.test(modelId)) return modelId;
  throw wrongArgument(MODEL_ID_PROPERTY, modelId, "a model id such as dtmi:com:example:Thermostat;1");
}
