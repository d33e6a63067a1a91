import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { hubAmqpBackend } from "../../lib/local/amqp/hub_backend.ts";
import { parseAddress } from "../../lib/local/amqp/address.ts";
import { AmqpFaultState } from "../../lib/local/amqp/fault_state.ts";
import { ClientGrants } from "../../lib/local/auth/grants.ts";
import { HubState } from "../../lib/local/hub_state.ts";
import { BareReceiver, ListeningHub, sendTo } from "../support/listening_hub.ts";
import { holds } from "../support/properties.ts";
import { RestCaller } from "../support/rest_caller.ts";
import { LocalHub } from "../../lib/local/mod.ts";
import { signSas } from "../support/sas.ts";

const HOST = "localhost";

/** Every legal character, those of percent-encoding far more often than by chance. */
const ID = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."abz09AZ-:.+%_#*?!(),=@;$'"), minLength: 1, maxLength: 12 }),
  fc.array(fc.constantFrom("%31", "%2531", "%25", "%2F", "%2f", "%23", "1", "dev", "%", "d", "%E4", "%C3%A4"), {
    minLength: 1,
    maxLength: 5,
  }).map((pieces) => pieces.join("")),
).filter((id) => id !== "." && id !== "..");

/** Percent-encodes a text zero, one or more times. */
function encoded(text: string, times: number): string {
  return times === 0 ? text : encodeURIComponent(encoded(text, times - 1));
}

function decoded(text: string): string {
  return isPercentEncoded(text) ? decodeURIComponent(text) : text;
}

function isPercentEncoded(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

/** The ids that a wrong number of decodings could take an id for. */
function lookalikes(id: string): string[] {
  const ids = new Set([encodeURIComponent(id), encoded(id, 2), decoded(id), decoded(decoded(id))]);
  ids.delete(id);
  return [...ids].filter((other) => /^[A-Za-z0-9:.+%_#*?!(),=@;$'-]{1,128}$/.test(other) && !/^\.\.?$/.test(other));
}

describe("an id with any legal character", () => {
  test("is what a device's token and its link name, however often the device encodes its id", async () => {
    const ways = fc.constantFrom([0, 0], [0, 1], [1, 0], [1, 1]);
    await holds(
      fc.asyncProperty(ID, ways, async (id, [timesOfId, timesOfAll]) => {
        const state = new HubState({ hostName: HOST, now: Date.now, clockSkew: 0 });
        const backend = hubAmqpBackend(state, new AmqpFaultState());
        const others = lookalikes(id);
        const device = state.devices.create(id, {});
        for (const other of others) state.devices.create(other, {});

        const resource = `${HOST}/devices/${encoded(id, timesOfId!)}`;
        const body = signSas({
          connectionString: `HostName=${HOST};SharedAccessKeyName=x;SharedAccessKey=x`,
          sr: encoded(resource, timesOfAll!),
          key: device.authentication.symmetricKey.primaryKey!,
        }).replace(/&skn=.*$/, "");
        // A field of a token has to be percent-encoded UTF-8, which an id with a % that is not encoded at all need not be.
        if (timesOfId! + timesOfAll! === 0 && !isPercentEncoded(id)) {
          return await assert.rejects(backend.verifyToken(body), { code: "IotHubUnauthorized" });
        }
        const grant = await backend.verifyToken(body);
        assert.deepEqual(grant.pathPrefix, ["devices", id]);

        const grants = new ClientGrants(state.alarm, Date.now, (work) => work(), () => {});
        grants.add(grant);
        for (const asked of [id, ...others]) {
          for (const timesInAddress of [0, 1, 2]) {
            const address = parseAddress(`/devices/${encoded(asked, timesInAddress)}/messages/devicebound`);
            assert.equal(address?.kind, "messages");
            const { deviceId } = address as { deviceId: string };
            assert.equal(grants.find("DeviceConnect", ["devices", deviceId]) !== undefined, deviceId === id);
            if (timesInAddress === 1) assert.equal(deviceId, asked, "an address is encoded once");
          }
        }
        grants.clear();
        state.close();
      }),
      150,
    );
  });

  test("is the same in a request's path and in the token that is limited to it", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    await holds(
      fc.asyncProperty(ID, async (id) => {
        const all = [id, ...lookalikes(id)];
        await rest.do("POST", "/devices", all.map((deviceId) => ({ id: deviceId, importMode: "create" })));
        const { connectionString } = hub;
        const sr = encodeURIComponent(`${hub.hostName}/devices/${encodeURIComponent(id)}`);
        const authorization = signSas({ connectionString, sr });
        for (const asked of all) {
          const { status, body } = await rest.call("GET", `/devices/${encodeURIComponent(asked)}`, undefined, {
            authorization,
          });
          if (asked === id) assert.equal(body.deviceId, id);
          assert.equal(status, asked === id ? 200 : 401, asked);
        }
        await rest.do("POST", "/devices", all.map((deviceId) => ({ id: deviceId, importMode: "delete" })));
      }),
      60,
    );
  });

  test("is the same in a path that is encoded as a whole, with its slashes", async () => {
    await using hub = new LocalHub();
    const rest = new RestCaller(hub);
    await rest.createDevices("parent");
    await holds(
      fc.asyncProperty(ID, async (id) => {
        const whole = (path: string): string => `/${encodeURIComponent(path)}`;
        assert.equal((await rest.do("PUT", whole(`devices/${id}`), {})).deviceId, id);
        assert.equal((await rest.do("GET", `/devices/${encodeURIComponent(id)}`)).deviceId, id);
        assert.equal((await rest.do("GET", whole(`twins/${id}`))).deviceId, id);
        const { connectionString } = hub;
        const sr = encodeURIComponent(`${hub.hostName}/devices/${encodeURIComponent(id)}`);
        const authorization = signSas({ connectionString, sr });
        const own = await rest.call("GET", whole(`devices/${id}`), undefined, { authorization });
        const other = await rest.call("GET", whole("devices/parent"), undefined, { authorization });
        assert.deepEqual([own.status, other.status], [200, 401]);
        await rest.do("DELETE", whole(`devices/${id}`), undefined, { "if-match": "*" });
      }),
      60,
    );
    const rows = await rest.do("POST", "/devices%2Fquery", { query: "SELECT deviceId FROM devices" });
    assert.deepEqual(rows, [{ deviceId: "parent" }]);
  });

  test("is found as it is written in the address of a message, or else decoded once", async () => {
    const ids = ["dev1", "dev%31", "dev%2531", "100%", "a%20b"];
    await using hub = await ListeningHub.start();
    await hub.rest.createDevices(...ids);
    for (const id of ids) await hub.rest.do("PUT", `/devices/${encodeURIComponent(id)}/modules/m%256`, {});
    const waiting = async (path: string): Promise<number> => (await hub.rest.do("GET", path)).cloudToDeviceMessageCount;
    for (const id of ids) {
      for (const [raw, path] of [["", ""], ["/modules/m%6", "/modules/m%256"]] as const) {
        const identity = `/devices/${encodeURIComponent(id)}${path}`;
        assert.equal(await waiting(identity), 0, "nothing was for another");
        await sendTo(hub, `/devices/${id}${raw}`);
        assert.equal(await waiting(identity), 1, `${id}${raw}, as it is written`);
      }
    }
    // None of these is an id as it is written.
    for (const [written, id] of [["100%25", "100%"], ["%64ev1", "dev1"], ["a%2520b", "a%20b"]] as const) {
      const before = await waiting(`/devices/${encodeURIComponent(id)}`);
      await sendTo(hub, `/devices/${written}`);
      assert.equal(await waiting(`/devices/${encodeURIComponent(id)}`), before + 1, `${written}, decoded`);
    }
  });

  test("gets its own messages over a socket, and no link to those of another", async () => {
    // As they are written, the encoded ones are no ids.
    const ids = ["dev1", "dev%31", "a%2Fmodules%2Fb", "100%", "#?=+;,@"];
    await using hub = await ListeningHub.start();
    await hub.rest.createDevices(...ids);
    for (const id of ids) {
      const path = `/devices/${encodeURIComponent(id)}`;
      const client = await hub.connectDevice(path);
      for (const other of ids) {
        if (other === id) continue;
        const link = new BareReceiver(client, `/devices/${encodeURIComponent(other)}/messages/devicebound`);
        assert.equal((await link.ended).condition, "amqp:unauthorized-access", `${id} for ${other}`);
      }
      await sendTo(hub, path, { message_id: `for ${id}` });
      const own = new BareReceiver(client, `${path}/messages/devicebound`);
      assert.equal((await own.next()).message.message_id, `for ${id}`);
    }
  });
});
