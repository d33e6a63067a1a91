import { createHash } from "node:crypto";
import fc from "fast-check";
import { HTTP_MUTATIONS, type HttpMutation, writeHttp } from "./http_message.ts";
import { WEB_SOCKET_MUTATIONS, type WebSocketMutation } from "./web_socket_frames.ts";

/** What is wrong with the WebSocket that carries a conversation. */
export interface WebSocketManner {
  readonly upgrade?: HttpMutation | undefined;
  readonly frames: readonly WebSocketMutation[];
}

/** A WebSocket of which something is wrong, or nothing, or none at all. */
export const WEB_SOCKETS: fc.Arbitrary<WebSocketManner | undefined> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      upgrade: fc.option(HTTP_MUTATIONS, { freq: 1, nil: undefined }),
      frames: fc.array(WEB_SOCKET_MUTATIONS, { maxLength: 1 }),
    }),
  },
);

export function isGoodWebSocket({ upgrade, frames }: WebSocketManner): boolean {
  return upgrade === undefined && frames.length === 0;
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const AMQP_SUBPROTOCOL = "AMQPWSB10";

/** The request that opens a WebSocket, for AMQP unless named, with a mistake if there is to be one. */
export function upgradeRequest(mutation: HttpMutation | undefined, subprotocol: string = AMQP_SUBPROTOCOL): string {
  return write("GET /$iothub/websocket HTTP/1.1", mutation, subprotocol, [
    ["Host", "127.0.0.1"],
    ["Sec-WebSocket-Version", "13"],
    ["Sec-WebSocket-Key", btoa("0123456789abcdef")],
  ]);
}

/** The answer to such a request. */
export function upgradeAnswer(request: string, mutation: HttpMutation | undefined): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? "";
  return write("HTTP/1.1 101 Switching Protocols", mutation, AMQP_SUBPROTOCOL, [
    ["Sec-WebSocket-Accept", createHash("sha1").update(key + GUID).digest("base64")],
  ]);
}

function write(
  start: string,
  mutation: HttpMutation | undefined,
  subprotocol: string,
  headers: readonly [string, string][],
): string {
  const all: [string, string][] = [["Connection", "Upgrade"], ["Upgrade", "websocket"], ...headers];
  all.push(["Sec-WebSocket-Protocol", subprotocol]);
  return writeHttp({ start, headers: all, body: "", framing: "none" }, mutation);
}
