import { type CallSubject, errorFromResponse, failure } from "./error_response.ts";
import type { GeneratedResult } from "./generated_client.ts";
import { secretsOf } from "./redaction.ts";
import type { WireRequest, WireResponse } from "./wire.ts";

/** What an answer can be beside a success. */
export interface AnswerRules {
  /** Says of an answer outside 200–299 that it is a result all the same. */
  readonly accepts?: (status: number, data: unknown) => boolean;
}

/** Turns an answer into the result of its operation, or throws the error that it is. */
export function resultOf(
  call: CallSubject & AnswerRules,
  request: WireRequest,
  response: WireResponse,
  signedInAs: string,
): GeneratedResult {
  const { status, body, headers } = response;
  const isSuccess = status >= 200 && status < 300;
  if (isSuccess || call.accepts !== undefined) {
    // A deletion has nothing to say, with whatever status it says so.
    const data = body === "" && (status === 204 || call.operation.startsWith("delete")) ? undefined : parseBody(body);
    if (isSuccess && data === NOT_JSON) {
      throw failure(call, "InvalidResponse", `the hub answered ${status}, with a body that is no JSON`, {
        statusCode: status,
      });
    }
    if (isSuccess || call.accepts!(status, data)) return { data, response };
  }
  if (status >= 300 && status < 400) {
    const reason = `the hub answered ${status}, a redirect, which is not followed`;
    throw failure(call, "UnexpectedRedirect", reason, { statusCode: status });
  }
  throw errorFromResponse(call, status, (name) => headers.get(name), body, signedInAs, secretsOf(request));
}

const NOT_JSON = Symbol();

function parseBody(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return NOT_JSON;
  }
}
