import { maxBytesOf } from "./answer_bytes.ts";
import { type CallSubject, errorFromResponse, type HubFacts, NOT_THE_HUB } from "./error_response.ts";
import { failure } from "../errors/failures.ts";
import type { GeneratedResult } from "./generated_client.ts";
import { isObject, parseJson } from "../values/json.ts";
import { secretsOf } from "./wire_secrets.ts";
import type { WireRequest, WireResponse } from "./http_wire.ts";
import { pageIn } from "./web_page.ts";

/** Which answers an operation accepts, apart from a success with a JSON body. */
export interface AnswerRules {
  /** Decides whether an answer that is not such a success is a result nevertheless. */
  readonly accepts?: (status: number, data: unknown) => boolean;
  /** Whether a success may have an empty body. That of a deletion may. */
  readonly mayBeEmpty?: boolean;
}

/**
 * Returns the result of an operation from its answer.
 *
 * @throws {IoTHubError} When the answer is an error, a redirect, or a success that cannot be read.
 */
export function readAnswer(
  call: CallSubject & AnswerRules,
  request: WireRequest,
  response: WireResponse,
  hub: HubFacts,
): GeneratedResult {
  const { status, body } = response;
  const facts = { statusCode: status };
  if (body === undefined) {
    const limit = `more than ${maxBytesOf(status, request.maxResponseBytes)} bytes`;
    throw failure(call, "InvalidResponse", `the hub answered ${status} with ${limit}`, facts);
  }
  const isSuccess = status >= 200 && status < 300;
  const isArray = call.facts.returnsArray;
  if (isSuccess || call.accepts !== undefined) {
    const data = parseJson(body);
    const isResult = (isSuccess &&
      ((isArray ? Array.isArray(data) : isObject(data)) || (body === "" && call.mayBeEmpty))) ||
      call.accepts?.(status, data);
    if (isResult) return { data, response };
  }
  const secrets = secretsOf(request);
  const page = pageIn(body, secrets);
  if (isSuccess) {
    const reason = page === undefined
      ? `the hub answered ${status} with a body that is not a JSON ${isArray ? "array" : "object"}`
      : `something other than the hub answered ${status} with ${page}; ${NOT_THE_HUB}`;
    throw failure(call, "InvalidResponse", reason, facts);
  }
  if (status >= 300 && status < 400) {
    const target = targetOf(response.headers.get("location"), request.origin);
    const reason =
      `the answer was ${status}, a redirect${target}, which is not followed, as no hub sends one; ${NOT_THE_HUB}`;
    throw failure(call, "UnexpectedRedirect", reason, facts);
  }
  throw errorFromResponse(call, response, hub, secrets);
}

/** Says where a redirect leads, but only to which server: the rest may repeat what was sent. */
function targetOf(location: string | null, origin: string): string {
  return location !== null && URL.canParse(location, origin) ? ` to ${new URL(location, origin).origin}` : "";
}
