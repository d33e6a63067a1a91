import { type ClientOptions, IoTHubRegistryManager } from "../../mod.ts";

/** The hub that recorded calls are for. */
export const HOST_NAME = "myhub.azure-devices.net";

/** A connection string of {@linkcode HOST_NAME}. */
export const CONNECTION_STRING: string =
  `HostName=${HOST_NAME};SharedAccessKeyName=service;SharedAccessKey=c2VjcmV0IHNlY3JldCBzZWNyZXQ=`;

/** One request, as `fetch` was given it. */
export interface RecordedRequest {
  method: string;
  url: string;
  /** All headers, their names in lower case. */
  headers: Record<string, string>;
  /** The body, parsed; absent when none was sent. */
  body?: unknown;
}

/** What the recorder says to a request; 200 and no body unless said otherwise. A string goes out as it is. */
export interface ScriptedAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A function of the shape of `fetch` that keeps every request and answers from a script. */
export class Recorder {
  readonly requests: RecordedRequest[] = [];
  readonly #answers: ScriptedAnswer[];

  /** The last answer is given again and again. */
  constructor(...answers: ScriptedAnswer[]) {
    this.#answers = answers;
  }

  /** Not a method: it is handed over without its object. */
  readonly fetch = (url: string, init: RequestInit = {}): Promise<Response> => {
    const request: RecordedRequest = {
      method: init.method ?? "GET",
      url,
      headers: Object.fromEntries(new Headers(init.headers)),
    };
    if (init.body !== undefined && init.body !== null) request.body = JSON.parse(init.body as string);
    this.requests.push(request);
    const { status = 200, headers = {}, body } = this.#answers.length > 1
      ? this.#answers.shift()!
      : this.#answers[0] ?? {};
    const text = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
    return Promise.resolve(new Response(text, { status, headers }));
  };

  /** A manager whose every request is recorded here. */
  connect(options: ClientOptions = {}): IoTHubRegistryManager {
    return IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, { ...options, fetch: this.fetch });
  }
}
