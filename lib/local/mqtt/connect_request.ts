import type { IConnectPacket } from "mqtt-packet";
import { API_VERSION } from "../api_version.ts";
import { decodeOnce } from "../auth/resource_path.ts";
import { MODEL_ID } from "../presence/model_id.ts";
import type { IdentityTarget } from "../records/find_identity.ts";
import { BAD_USER_OR_PASSWORD, IDENTIFIER_REJECTED, NOT_AUTHORIZED } from "./return_codes.ts";
import { readTopic } from "./topics.ts";
import { MqttViolation } from "./violation.ts";

/** What a client is to say for itself when it is gone. */
export interface Will {
  /** The properties, as they stand in its topic. */
  readonly bag: string;
  readonly payload: Uint8Array;
  readonly isRetained: boolean;
}

/** Who connects, and how. */
export interface ConnectRequest {
  readonly target: IdentityTarget;
  readonly modelId: string | undefined;
  /** The token; `undefined` for a client that has none. */
  readonly password: string | undefined;
  readonly isClean: boolean;
  readonly keepAliveInSeconds: number;
  readonly will: Will | undefined;
}

/** An id has 128 characters at most, none of which separates it from others. */
const CLIENT_ID = /^([^/]{1,128})(?:\/([^/]{1,128}))?$/;

/**
 * Reads a CONNECT.
 *
 * @param isHost Whether a host is one of the hub's.
 * @throws {MqttViolation} When the hub refuses it, with the code for the client.
 */
export function readConnectRequest(packet: IConnectPacket, isHost: (host: string) => boolean): ConnectRequest {
  const { clientId, username = "", password, clean, keepalive = 0, will } = packet;
  const [, deviceId, moduleId] = CLIENT_ID.exec(clientId) ?? [];
  if (deviceId === undefined) {
    throw new MqttViolation("The client id must be <device> or <device>/<module>", IDENTIFIER_REJECTED);
  }
  const target = { deviceId, moduleId };
  const query = queryOf(username, clientId, isHost);
  if (!API_VERSION.test(query.get("api-version") ?? "")) throw badUser("api-version must be a date");
  const modelId = query.get("model-id");
  if (modelId !== undefined && !MODEL_ID.test(modelId)) throw badUser("model-id is none");
  return {
    target,
    modelId,
    password: password === undefined || password.length === 0 ? undefined : password.toString(),
    isClean: clean === true,
    keepAliveInSeconds: keepalive,
    will: will === undefined ? undefined : readWill(target, will),
  };
}

/** Reads `{host}/{client id}/?{query}`. The names in the query are told without regard to case. */
function queryOf(userName: string, clientId: string, isHost: (host: string) => boolean): Map<string, string> {
  const at = userName.indexOf("/");
  const rest = userName.slice(at + 1);
  const start = `${clientId}/?`;
  if (at < 0 || !rest.startsWith(start)) throw badUser("it must be <host>/<client id>/?api-version=…");
  if (!isHost(userName.slice(0, at))) throw badUser("it names another host");
  const query = new Map<string, string>();
  for (const field of rest.slice(start.length).split("&")) {
    const end = field.indexOf("=");
    if (end < 0) continue;
    const value = field.slice(end + 1);
    query.set(field.slice(0, end).toLowerCase(), decodeOnce(value) ?? value);
  }
  return query;
}

function badUser(reason: string): MqttViolation {
  return new MqttViolation(`The hub cannot use the user name: ${reason}`, BAD_USER_OR_PASSWORD);
}

/** A will is telemetry, or it is none for this hub. */
function readWill(target: IdentityTarget, will: NonNullable<IConnectPacket["will"]>): Will {
  const { topic, payload, qos = 0, retain = false } = will;
  const refused = new MqttViolation("A will must be telemetry with QoS 0 or 1", NOT_AUTHORIZED);
  if (qos > 1) throw refused;
  try {
    const read = readTopic(target, topic);
    if (read.kind !== "telemetry") throw refused;
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : new Uint8Array(payload);
    return { bag: read.bag, payload: bytes, isRetained: retain };
  } catch {
    throw refused;
  }
}
