import assert from "node:assert/strict";
import { test } from "node:test";
import { HTTP_METHODS, invoke } from "../support/http_methods.ts";
import { Recorder } from "../support/recorder.ts";
import { assertRefused } from "../support/rejections.ts";

/** An unquoted `If-Match` is ignored by the hub: a write that should fail would go through. */
const FORMS: readonly [etag: string | undefined, header: string][] = [
  [undefined, '"*"'],
  ["*", '"*"'],
  ['"*"', '"*"'],
  ["AAAA=", '"AAAA="'],
  ['"AAAA="', '"AAAA="'],
  ["a", '"a"'],
  ["!#$%&'()+,-./:;<=>?@[\\]^_`{|}~", '"!#$%&\'()+,-./:;<=>?@[\\]^_`{|}~"'],
];

for (const method of HTTP_METHODS) {
  const { name } = method;
  if (method.takesEtag) {
    test(`${name} sends every etag in quotes, and a quoted star for none`, async () => {
      for (const [etag, header] of FORMS) {
        const recorder = new Recorder({ body: {} });
        await using registry = recorder.connect();
        await invoke(registry, method, { options: { etag } });
        const { headers, body } = recorder.requests[0]!;
        assert.equal(headers["if-match"], header);
        // There it would have no effect, and the hub may come to refuse it.
        assert.doesNotMatch(JSON.stringify(body) ?? "", /etag/i);
      }
    });
  } else {
    test(`${name} has no condition, and refuses an etag that it could only ignore`, async () => {
      const recorder = new Recorder({ body: method.answer ?? {}, headers: method.answerHeaders ?? {} });
      await using registry = recorder.connect();
      await invoke(registry, method);
      assert.equal("if-match" in recorder.requests[0]!.headers, false);
      await assertRefused((registry) => invoke(registry, method, { options: { etag: "AAAA=" } }), TypeError, '"etag"');
    });
  }
}
