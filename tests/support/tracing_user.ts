/** A program on a Deno that makes spans of requests by itself. It writes which spans the client has made in addition. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Twins } from "../../mod.ts";
import { CONNECTION_STRING } from "./recorder.ts";
import { TestTracer } from "./test_tracer.ts";

let traceparent: unknown;
const server = createServer((request, response) => {
  traceparent = request.headers["traceparent"];
  response.end("{}");
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const tracer = new TestTracer();
await using twins = Twins.fromConnectionString(CONNECTION_STRING, {
  endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  tracer,
  propagateTrace: true,
});
await twins.getTwin("d");
server.close();
server.closeAllConnections();
console.log(
  JSON.stringify({
    spans: tracer.spans.map(({ name }) => name).sort().reverse(),
    traceparent: typeof traceparent === "string",
  }),
);
