import assert from "node:assert/strict";
import { test } from "node:test";
import type { IoTHubRegistryManager } from "../../mod.ts";
import { faultsOfRequest } from "./description.ts";
import { HOST_NAME, Recorder, type ScriptedAnswer } from "./recorder.ts";

/** One call of the manager, and the request and the result that must come of it. */
export interface RequestCase {
  name: string;
  call: (registry: IoTHubRegistryManager) => Promise<unknown>;
  /** Verb, path and query, such as `GET /devices/d1?api-version=2021-04-12`. */
  request: string;
  /** Left out: the request must have no body. */
  body?: unknown;
  /** Left out: the request must have no `If-Match`. */
  ifMatch?: string;
  /** What must be there beside the headers that every request has. */
  headers?: Record<string, string>;
  /** 200 with an object of no known shape unless said otherwise. */
  answer?: ScriptedAnswer;
  /** The answer's body unless said otherwise. */
  result?: unknown;
}

/** A body that no typed code could make up. */
const ANSWER = { id: "answer", unknownToUs: [{ kept: null }] };

/**
 * Makes a test of each case.
 *
 * @param isDescribed Whether the bodies must be as `openapi.json` says. Some cases have keys that no hub takes.
 */
export function testRequests(cases: readonly RequestCase[], isDescribed: boolean = false): void {
  for (const expected of cases) {
    test(expected.name, async () => {
      const answer = expected.answer ?? { body: ANSWER };
      const recorder = new Recorder(answer);
      await using registry = recorder.connect();
      const result = await expected.call(registry);

      assert.equal(recorder.requests.length, 1);
      const { method, url, headers, ...rest } = recorder.requests[0]!;
      const { pathname: path } = new URL(url);
      if (isDescribed) assert.deepEqual(faultsOfRequest({ method, path, body: rest.body }), []);
      assert.equal(`${method} ${url}`, expected.request.replace(" /", ` https://${HOST_NAME}/`));
      // Parsed JSON holds no undefined, so that this also tells a member left out from one that is null.
      assert.deepEqual(rest, "body" in expected ? { body: expected.body } : {});
      const { authorization, "user-agent": userAgent, ...others } = headers;
      assert.match(authorization!, /^SharedAccessSignature sr=myhub\.azure-devices\.net&sig=/);
      assert.match(userAgent!, /^iothub-registry-manager\/\d/);
      assert.deepEqual(others, {
        accept: "application/json",
        ...("body" in expected && { "content-type": "application/json; charset=utf-8" }),
        ...(expected.ifMatch !== undefined && { "if-match": expected.ifMatch }),
        ...expected.headers,
      });
      assert.deepEqual(result, "result" in expected ? expected.result : answer.body);
    });
  }
}
