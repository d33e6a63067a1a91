import type { Client } from "../../gen/client/index.ts";

/** What a generated operation hands to its client; `Call` is what the caller said of it. */
export interface GeneratedRequest<Call> {
  url: string;
  path?: Record<string, string>;
  query?: Record<string, unknown>;
  headers?: Record<string, unknown>;
  body?: unknown;
  meta: { call: Call };
}

/** The part of a generated operation's result that is used here. */
export interface GeneratedResult {
  data: unknown;
  response: { status: number; headers: { get(name: string): string | null } };
}

/**
 * What stands in for the generated client. The generated functions need only its verbs; the original would build a
 * second Request for each call, share interceptors, and cannot be used on Deno, which takes its option `client` for
 * one of its own.
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
