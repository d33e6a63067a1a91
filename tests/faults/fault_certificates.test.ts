import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { IoTHubRegistryManager } from "../../mod.ts";
import { makeSelfSignedCertificate } from "../../lib/local/sockets/self_signed_certificate.ts";
import { FaultServer, httpAnswer } from "../support/fault_server.ts";
import { CONNECTION_STRING } from "../support/recorder.ts";

const GOOD = httpAnswer(200, '{"status":200,"payload":"done"}');

describe("when the server's certificate is", () => {
  test("of nobody who is trusted, no request is sent, and it is not tried again", async () => {
    await using server = await FaultServer.listen(
      ({ socket }) => socket.write(GOOD),
      await makeSelfSignedCertificate(["localhost", "127.0.0.1"]),
    );
    await using registry = IoTHubRegistryManager.fromConnectionString(CONNECTION_STRING, {
      endpoint: server.endpoint,
      retryOptions: { retryDelayInMs: 1 },
    });
    for (const call of [() => registry.getTwin("d"), () => registry.invokeDeviceMethod("d", { methodName: "m" })]) {
      await assert.rejects(call(), { code: "NetworkError", retryable: false });
    }
    assert.deepEqual([server.connections, server.requests.length], [2, 0]);
  });

  const DAY = 86_400_000;
  const cases: readonly [string, number, number, boolean][] = [
    ["trusted and valid, calls succeed", -1, 1, true],
    ["trusted but expired, no request is sent, and it is not tried again", -3, -2, false],
    ["trusted but not valid yet, no request is sent, and it is not tried again", 2, 3, false],
  ];
  for (const [what, from, until, isGood] of cases) {
    test(what, async () => {
      const notBefore = new Date(Date.now() + from * DAY);
      const notAfter = new Date(Date.now() + until * DAY);
      const tls = await makeSelfSignedCertificate(["localhost", "127.0.0.1"], { notBefore, notAfter });
      await using server = await FaultServer.listen(({ socket }) => socket.write(GOOD), tls);
      const outcomes = await callTrusting(server.endpoint, tls.cert);
      for (const outcome of outcomes) {
        if (isGood) assert.equal(outcome["status"], "fulfilled", JSON.stringify(outcome));
        else {assert.partialDeepStrictEqual(
            outcome,
            { code: "NetworkError", retryable: false },
            JSON.stringify(outcome),
          );}
      }
      assert.equal(server.requests.length, isGood ? 2 : 0);
      if (!isGood) assert.equal(server.connections, 2);
    });
  }
});

/** Makes calls in a process of their own that trusts a certificate. */
async function callTrusting(endpoint: string, certificate: string): Promise<Record<string, unknown>[]> {
  const folder = await mkdtemp(join(tmpdir(), "registry-manager-"));
  try {
    const file = join(folder, "ca.pem");
    await writeFile(file, certificate);
    const program = fileURLToPath(new URL("../support/certificate_user.ts", import.meta.url));
    const args = "Deno" in globalThis ? ["run", "-A", "--no-check", program] : [program];
    const { stdout } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: file, ENDPOINT: endpoint, CONNECTION_STRING },
    });
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}
