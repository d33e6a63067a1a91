import { maxBytesOf } from "./answer_bytes.ts";
import { type CallSubject, errorFromResponse } from "./error_response.ts";
import { failure } from "../errors/failures.ts";
import type { GeneratedResult } from "./generated_client.ts";
import { isObject, parseJson } from "../values/json.ts";
import { secretsOf } from "./wire_secrets.ts";
import type { WireRequest, WireResponse } from "./http_wire.ts";

/** Which answers an operation accepts, apart from a success with a JSON body. */
export interface AnswerRules {
  /** Decides whether an answer outside 200–299 is a result nevertheless. */
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
  signedInAs: string,
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
    const isResult = isSuccess
      ? (isArray ? Array.isArray(data) : isObject(data)) || (body === "" && call.mayBeEmpty)
      : call.accepts!(status, data);
    if (isResult) return { data, response };
  }
  if (isSuccess) {
    const expected = `a JSON ${isArray ? "array" : "object"}`;
    throw failure(call, "InvalidResponse", `the hub answered ${status} with a body that is not ${expected}`, facts);
  }
  if (status >= 300 && status < 400) {
    throw failure(call, "UnexpectedRedirect", `the hub answered ${status}, a redirect, which is not followed`, facts);
  }
  throw errorFromResponse(call, response, signedInAs, secretsOf(request));
}
