import { cannotUse } from "../../values/checks.ts";
import type { Principal } from "../auth/authorization.ts";
import { HubFault } from "../hub_fault.ts";
import { BODY_LIMITS, type BodyKind, readBytes, readText } from "./body.ts";
import { BODY_SHAPES } from "./body_shapes.ts";
import type { HubState } from "../hub_state.ts";
import { MAX_JSON_DEPTH, parseOutsideJson } from "../json.ts";
import { type IfMatch, readIfMatch } from "../records/if_match.ts";
import { readServiceJson } from "../service_json.ts";
import type { HubRequest } from "../hub_request.ts";

/** A request as its handler sees it: authenticated, and with its path taken apart. */
export class RestCall {
  readonly hub: HubState;
  readonly request: HubRequest;
  readonly principal: Principal;
  /** The ids in the path, decoded. */
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly #body: BodyKind;

  constructor(
    hub: HubState,
    request: HubRequest,
    principal: Principal,
    ids: readonly string[],
    query: URLSearchParams,
    body: BodyKind,
  ) {
    this.#body = body;
    this.hub = hub;
    this.request = request;
    this.principal = principal;
    this.ids = ids;
    this.query = query;
  }

  /** The first id in the path. */
  get deviceId(): string {
    return this.ids[0]!;
  }

  /** The second id in the path, where the operation is about a module. */
  get moduleId(): string {
    return this.ids[1]!;
  }

  get ifMatch(): IfMatch {
    return readIfMatch(this.request.headers.get("if-match"));
  }

  /**
   * Reads the body as it is, up to the limit of the operation.
   *
   * @throws {HubFault} `MessageTooLarge` (413) when it is larger.
   */
  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return readBytes(this.request, BODY_LIMITS[this.#body]);
  }

  /**
   * Reads the body, up to the limit of the operation and by the shape of its kind.
   *
   * @throws {HubFault} `MessageTooLarge` (413) when it is larger.
   * @throws {HubFault} `GenericBadRequest` (400) when it is not JSON, or is nested too deep.
   */
  async json(): Promise<unknown> {
    const text = await readText(this.request, BODY_LIMITS[this.#body]);
    // A payload is any JSON value, or none.
    if (text === "" && this.#body === "payload") return null;
    try {
      return readServiceJson(parseOutsideJson(text), BODY_SHAPES[this.#body]);
    } catch (error) {
      const rule = error instanceof RangeError ? `nested at most ${MAX_JSON_DEPTH} levels deep` : "JSON";
      throw new HubFault("GenericBadRequest", 400, cannotUse("the body", rule));
    }
  }
}

/** The response of a handler. */
export interface RestAnswer {
  status: number;
  /** The value to send as JSON. */
  body?: unknown;
  /** Bytes to send instead, as they are. Without either, the response has no body. */
  bytes?: Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
}

/** Carries out one operation. */
export type RestHandler = (call: RestCall) => RestAnswer | Promise<RestAnswer>;

/** Creates a response with status 200 and a body. */
export function ok(body: unknown, headers?: Record<string, string>): RestAnswer {
  return { status: 200, body, ...(headers !== undefined && { headers }) };
}
