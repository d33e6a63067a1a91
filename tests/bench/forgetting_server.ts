/** A server that takes every bulk request and keeps nothing. It prints its port, and ends with its standard input. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";

const ANSWER = '{"isSuccessful":true,"errors":[],"warnings":[]}';

const server = createServer((request, response) => {
  request.resume().on("end", () => {
    response.setHeader("content-type", "application/json; charset=utf-8");
    response.end(ANSWER);
  });
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.stdin.resume().on("end", () => process.exit());
