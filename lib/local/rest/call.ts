import type { Principal } from "../auth/authorization.ts";
import { HubFault } from "../hub_fault.ts";
import type { HubState } from "../hub_state.ts";
import { type IfMatch, readIfMatch } from "../records/if_match.ts";

/** What a handler has to go by. */
export class RestCall {
  readonly hub: HubState;
  readonly request: Request;
  readonly principal: Principal;
  /** The variable segments of the path, decoded. */
  readonly ids: readonly string[];
  readonly query: URLSearchParams;

  constructor(hub: HubState, request: Request, principal: Principal, ids: readonly string[], query: URLSearchParams) {
    this.hub = hub;
    this.request = request;
    this.principal = principal;
    this.ids = ids;
    this.query = query;
  }

  /** The first variable segment of the path. */
  get deviceId(): string {
    return this.ids[0]!;
  }

  /** The second variable segment of the path, in the paths of modules. */
  get moduleId(): string {
    return this.ids[1]!;
  }

  get ifMatch(): IfMatch {
    return readIfMatch(this.request.headers.get("if-match"));
  }

  /** The body. @throws 400 `GenericBadRequest` where it is not JSON */
  async json(): Promise<unknown> {
    const text = await this.request.text();
    try {
      return JSON.parse(text);
    } catch {
      throw new HubFault("GenericBadRequest", 400, "The body is not JSON");
    }
  }
}

/** What a handler answers. */
export interface RestAnswer {
  status: number;
  /** Left out, the answer has no body. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** One operation of the service API. */
export type RestHandler = (call: RestCall) => RestAnswer | Promise<RestAnswer>;

/** 200 with a body. */
export function ok(body: unknown, headers?: Record<string, string>): RestAnswer {
  return { status: 200, body, ...(headers !== undefined && { headers }) };
}
