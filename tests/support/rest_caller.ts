import assert from "node:assert/strict";
import type { LocalHub } from "../../lib/local/mod.ts";
import { faultsOfAnswer } from "./description.ts";
import { signSas } from "./sas.ts";

/** A parsed JSON text, to be looked into without a cast at every step. */
// deno-lint-ignore no-explicit-any
export type Json = any;

/** An answer, read to its end. */
export interface Answer {
  status: number;
  /** The header `iothub-errorcode`. */
  code: string | null;
  headers: Headers;
  body: Json;
}

/** What a call can have besides method, path and body. */
export interface CallOptions {
  headers?: Record<string, string>;
  /** The whole `Authorization` header; `null` for none. */
  authorization?: string | null;
  signal?: AbortSignal;
}

/** What is needed of a hub to call it. */
export type RestHub = Pick<LocalHub, "hostName" | "connectionString" | "fetch">;

/** Calls the REST surface of a hub with hand-made requests. Every answer has to be as `openapi.json` describes it. */
export class RestCaller {
  readonly #hub: RestHub;
  #authorization: string;

  constructor(hub: RestHub, authorization: string = signSas({ connectionString: hub.connectionString })) {
    this.#hub = hub;
    this.#authorization = authorization;
  }

  async call(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> {
    const { authorization = this.#authorization, headers = {}, signal } = options;
    const url = `https://${this.#hub.hostName}${path}${path.includes("?") ? "&" : "?"}api-version=2021-04-12`;
    const response = await this.#hub.fetch(
      new Request(url, {
        method,
        headers: { ...(authorization !== null && { authorization }), ...headers },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
        ...(signal && { signal }),
      }),
    );
    const { status, headers: answered } = response;
    const text = await response.text();
    const answer = text === "" ? undefined : JSON.parse(text);
    const exchange = { method, path: path.replace(/\?.*$/, ""), status, headers: answered, body: answer };
    assert.deepEqual(faultsOfAnswer(exchange), []);
    return { status, code: answered.get("iothub-errorcode"), headers: answered, body: answer };
  }

  /** A call that has to succeed. @returns the body */
  async do(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Json> {
    const answer = await this.call(method, path, body, { headers });
    assert.ok(answer.status < 300, `${method} ${path} answered ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** A call that has to fail like this. @returns the answer */
  async fails(
    expected: [status: number, code: string],
    method: string,
    path: string,
    body?: unknown,
    options: CallOptions = {},
  ): Promise<Answer> {
    const answer = await this.call(method, path, body, options);
    assert.deepEqual([answer.status, answer.code], expected, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer;
  }

  /** Creates devices that have nothing but an id. */
  async createDevices(...deviceIds: string[]): Promise<void> {
    for (const deviceId of deviceIds) await this.do("PUT", `/devices/${encodeURIComponent(deviceId)}`, { deviceId });
  }
}
