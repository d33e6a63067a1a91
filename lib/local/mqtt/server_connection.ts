import type { IConnectPacket, Packet } from "mqtt-packet";
import { BackgroundTimer } from "../../timing/background_timer.ts";
import type { LocalHubDisconnectReason } from "../activity/hub_event.ts";
import type { ClientCertificate } from "../auth/client_certificate.ts";
import { ClientGrants } from "../auth/grants.ts";
import { deviceResourcePath } from "../auth/resource_path.ts";
import type { FaultyConnection } from "../connections/faulty_connections.ts";
import { type ByteSocket, GatedSocket } from "../connections/gated_socket.ts";
import { guarded } from "../connections/guarded.ts";
import { IdleWatch } from "../connections/idle_watch.ts";
import { HubFault, unauthorized } from "../hub_fault.ts";
import type { SignInMethod } from "../presence/device_connection.ts";
import type { MqttBackend } from "./backend.ts";
import { readPacket, writePacket } from "./codec.ts";
import { type ConnectRequest, readConnectRequest } from "./connect_request.ts";
import { MqttDevice } from "./device.ts";
import { CLOSING_LIMIT_IN_MS, MQTT_LIMITS } from "./hub_limits.ts";
import { MqttPacketReader } from "./packet_reader.ts";
import { NOT_AUTHORIZED, SERVER_UNAVAILABLE } from "./return_codes.ts";
import { MqttViolation } from "./violation.ts";

/** What a connection is at: nothing has come, its client is being verified, it is open, or it has ended. */
type Stage = "new" | "signingIn" | "open" | "ended";

/** One client's connection: its socket, its time-outs, and the device that it is for. */
export class MqttServerConnection implements FaultyConnection {
  readonly #backend: MqttBackend;
  readonly #socket: GatedSocket;
  readonly #certificate: ClientCertificate | undefined;
  readonly #reader: MqttPacketReader = new MqttPacketReader();
  readonly #grants: ClientGrants;
  readonly #closingTimer: BackgroundTimer = new BackgroundTimer();
  #idle: IdleWatch;
  #stage: Stage = "new";
  #request: ConnectRequest | undefined;
  #device: MqttDevice | undefined;

  constructor(backend: MqttBackend, socket: ByteSocket, certificate?: ClientCertificate) {
    this.#backend = backend;
    this.#certificate = certificate;
    const guard = (work: () => void): void => this.guard(work);
    this.#grants = new ClientGrants(backend.alarm, () => backend.now(), guard, () => this.#cutUncovered());
    this.#idle = new IdleWatch(backend.connectLimitInMs, () => this.guard(() => this.abort()));
    this.#socket = new GatedSocket(socket);
    this.#socket.on("data", (bytes) => this.guard(() => this.#take(bytes)));
    backend.faults.connections.add(this);
  }

  /** Does some work for this connection. What it throws ends the connection, not the process. */
  guard(work: () => unknown): void {
    guarded(work, (error) => this.#fail(error));
  }

  abort(reason: LocalHubDisconnectReason = "forced"): void {
    this.#end(reason);
    this.#closingTimer.clear();
    this.#socket.destroy();
  }

  hold(): void {
    this.#socket.hold();
  }

  release(): void {
    this.#socket.release();
  }

  #take(bytes: Uint8Array): void {
    if (this.#stage === "ended") return;
    this.#reader.add(bytes);
    this.#read();
  }

  /** Reads the packets that have come, one after another. */
  #read(): void {
    while (this.#stage === "new" || this.#stage === "open") {
      const bytes = this.#reader.next();
      if (bytes === undefined) return;
      // The keep-alive counts whole packets, so that nobody stays by sending one for ever.
      if (this.#stage === "open") this.#idle.touch();
      this.#handle(readPacket(bytes));
    }
  }

  #handle(packet: Packet): void {
    if (packet.cmd === "connect") return this.guard(() => this.#signIn(packet));
    const device = this.#device!;
    if (!this.#isCovered()) return this.#close("unauthorized");
    switch (packet.cmd) {
      case "publish":
        device.take(packet);
        if (packet.qos === 1 && !this.#backend.faults.takeWithheld()) {
          this.#send({ cmd: "puback", messageId: packet.messageId! });
        }
        return;
      case "puback":
        return device.acknowledge(packet.messageId!);
      case "subscribe": {
        const granted = device.subscribe(packet);
        this.#send({ cmd: "suback", messageId: packet.messageId!, granted });
        return device.subscriptionsChanged();
      }
      case "unsubscribe":
        device.unsubscribe(packet.unsubscriptions);
        this.#send({ cmd: "unsuback", messageId: packet.messageId!, granted: [] });
        return device.subscriptionsChanged();
      case "pingreq":
        return this.#send({ cmd: "pingresp" });
      case "disconnect":
        this.#request = undefined;
        return this.#close("closed");
    }
  }

  async #signIn(packet: IConnectPacket): Promise<void> {
    this.#stage = "signingIn";
    const planned = this.#backend.faults.takeRefusal();
    if (planned !== undefined) return this.#refuse(planned);
    const request = readConnectRequest(packet, (host) => this.#backend.isHost(host));
    if (request.password !== undefined) {
      this.#grants.add(await this.#backend.verifyToken(request.target, request.password));
    }
    // The client may have gone meanwhile.
    if ((this.#stage as Stage) === "ended") return void this.#grants.clear();
    this.#request = request;
    if (!this.#isCovered()) throw unauthorized("IotHubUnauthorized", "The client has shown nothing that lets it in");
    this.#open(request);
    this.#read();
  }

  #open(request: ConnectRequest): void {
    const backend = this.#backend;
    const signInMethod = this.#signInMethodOf(request);
    let isPresent = false;
    const device = new MqttDevice(
      {
        open: (target, connection) => backend.openSession(target, connection),
        begin: (session) => {
          const { generationId } = session.requireRecord();
          const begun = backend.sessions.begin(session.key, generationId, request.isClean);
          isPresent = begun.isPresent;
          return begun.session;
        },
        send: (sent) => this.#send(sent),
        end: () => this.guard(() => this.#close()),
        cutUncovered: () => this.guard(() => this.#cutUncovered()),
        reporter: backend,
      },
      request,
      signInMethod,
    );
    this.#device = device;
    this.#stage = "open";
    this.#idle.stop();
    this.#idle = new IdleWatch(idleLimitOf(request), () => this.guard(() => this.abort()));
    this.#send({ cmd: "connack", returnCode: 0, sessionPresent: isPresent });
    device.start();
  }

  #signInMethodOf({ target, password }: ConnectRequest): SignInMethod {
    if (password === undefined) return "certificate";
    const grant = this.#grants.find("DeviceConnect", deviceResourcePath(target));
    return grant?.policyName === undefined ? "identityKey" : "policyKey";
  }

  /** Whether the client still has the right to be connected. */
  #isCovered(): boolean {
    const { target, password } = this.#request!;
    if (password !== undefined) return this.#grants.find("DeviceConnect", deviceResourcePath(target)) !== undefined;
    return this.#certificate !== undefined && this.#backend.knowsCertificate(target, this.#certificate);
  }

  #cutUncovered(): void {
    if (this.#stage === "open" && !this.#isCovered()) this.#close("unauthorized");
  }

  #send(packet: Packet): void {
    if (this.#stage === "ended") return;
    this.#socket.write(writePacket(packet));
    if (this.#socket.unsentBytes > MQTT_LIMITS.maxUnsentBytes) this.abort();
  }

  #refuse(returnCode: number): void {
    this.#send({ cmd: "connack", returnCode, sessionPresent: false });
    this.#close();
  }

  /** Closes the connection after what has been written. */
  #close(reason: LocalHubDisconnectReason = "forced"): void {
    if (this.#stage === "ended") return;
    this.#end(reason);
    this.#closingTimer.setAt(Date.now() + CLOSING_LIMIT_IN_MS, () => this.#socket.destroy());
    this.#socket.end();
  }

  /** Ends the session. A client that has not said that it goes leaves its will. */
  #end(reason: LocalHubDisconnectReason): void {
    if (this.#stage === "ended") return;
    this.#stage = "ended";
    this.#backend.faults.connections.delete(this);
    this.#idle.stop();
    this.#grants.clear();
    const [device, will] = [this.#device, this.#request?.will];
    this.#device = undefined;
    if (device === undefined) return;
    try {
      if (will !== undefined) device.sendTelemetry(will.bag, will.payload, will.isRetained, WILL_PROPERTY);
    } catch (error) {
      // A device that is no longer there has nothing to say.
      if (!(error instanceof HubFault)) this.#backend.report(error);
    }
    device.close(reason);
  }

  /** Ends the connection, with the reason where it has not begun: after that, MQTT has no word for it. */
  #fail(error: unknown): void {
    const returnCode = returnCodeOf(error);
    const isKnown = error instanceof MqttViolation || error instanceof HubFault;
    if (!isKnown) this.#backend.report(error);
    try {
      if (this.#stage === "signingIn" && error instanceof HubFault) this.#backend.activity.refuse("mqtt", error);
      const isRefused = this.#stage === "signingIn" || (this.#stage === "new" && error instanceof MqttViolation);
      if (isRefused && returnCode !== undefined) this.#refuse(returnCode);
      else this.#close();
    } catch (second) {
      this.#backend.report(second);
      this.#socket.destroy();
    }
  }
}

const WILL_PROPERTY: Readonly<Record<string, string>> = { "iothub-MessageType": "Will" };

function returnCodeOf(error: unknown): number | undefined {
  if (error instanceof MqttViolation) return error.returnCode;
  // Neither who is unknown nor who is disabled learns more than that.
  return error instanceof HubFault && error.status !== 429 ? NOT_AUTHORIZED : SERVER_UNAVAILABLE;
}

/** How long a client may be silent: one and a half times as long as it has said. */
function idleLimitOf({ keepAliveInSeconds }: ConnectRequest): number {
  const longest = MQTT_LIMITS.maxKeepAliveInSeconds;
  const seconds = keepAliveInSeconds === 0 ? longest : Math.min(keepAliveInSeconds, longest);
  return seconds * 1500;
}
