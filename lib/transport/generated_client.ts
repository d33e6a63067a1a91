import type { Client } from "../../gen/client/index.ts";

/** The request that a generated operation passes to its client. `Call` describes the call of the public method. */
export interface GeneratedRequest<Call> {
  url: string;
  path?: Record<string, string>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
  meta: { call: Call };
}

/** The part of a generated operation's result that this module uses. */
export interface GeneratedResult {
  data: unknown;
  response: { status: number; headers: { get(name: string): string | null } };
}

/**
 * Creates a replacement for the generated client, of which the generated functions need only the verbs. The original would
 * build a second Request for each call and share interceptors, and it does not work on Deno, whose `fetch` has an option
 * `client` of its own.
 */
export function generatedClient<Call>(
  exchange: (method: string, request: GeneratedRequest<Call>) => Promise<GeneratedResult>,
): Client {
  function verb(method: string): (request: GeneratedRequest<Call>) => Promise<GeneratedResult> {
    return (request) => exchange(method, request);
  }
  const verbs = {
    get: verb("GET"),
    put: verb("PUT"),
    post: verb("POST"),
    patch: verb("PATCH"),
    delete: verb("DELETE"),
  };
  return verbs as unknown as Client;
}
