import { request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { CONNECTION_STRING, HOST_NAME } from "./recorder.ts";
import type { RecordingServer } from "./recording_server.ts";

/** Any method of the package; its own types are not loaded, since they need those of a dozen others. */
export type Methods = Record<string, (...given: unknown[]) => unknown>;

/** The classes of the vendor's package that have methods in common with ours. */
export interface OfficialSdk {
  registry: Methods;
  client: Methods;
  manager: Methods;
}

type BuildRequest = (...given: unknown[]) => unknown;
interface HttpBase {
  buildRequest: BuildRequest;
  setOptions: (options: unknown) => void;
}
type Class<T> = new (...given: unknown[]) => T;
interface ProtocolLayer {
  baseUri: string;
  sendOperationRequest: (...given: unknown[]) => Promise<unknown>;
}

const require = createRequire(import.meta.url);

/** Loads the package azure-iothub, its requests led to a loopback server by the means that its constructors offer. */
export function officialSdk(server: RecordingServer): OfficialSdk {
  const { Registry, Client, IoTHubTokenCredentials } = require("azure-iothub") as Record<string, Class<Methods>>;
  const { RestApiClient } = require("azure-iothub/dist/common-http/rest_api_client.js") as Record<
    string,
    Class<object>
  >;
  const { Http } = require("azure-iothub/dist/common-http/http.js") as Record<string, Class<HttpBase>>;
  const cl = require("azure-iothub/dist/cl/iothub_registry_manager.js") as Record<string, Class<Methods>>;

  const http = new Http!();
  const buildRequest = http.buildRequest.bind(http);
  http.buildRequest = (method, path, headers, _host, ...rest) =>
    buildRequest(method, path, headers, "127.0.0.1", { port: server.port, request: httpRequest }, rest.at(-1));
  // Would set an agent for https.
  http.setOptions = () => {};
  const config = { host: HOST_NAME, sharedAccessSignature: "SharedAccessSignature sr=none" };
  const restApiClient = new RestApiClient!(config, "azure-iothub/test", http);

  return {
    registry: new Registry!(config, restApiClient),
    client: new Client!({}, restApiClient),
    manager: awaitable(new cl.IoTHubRegistryManager!(new IoTHubTokenCredentials!(CONNECTION_STRING)), server),
  };
}

/** Some methods of the package's manager drop their promise; these ones give that of the request they made. */
function awaitable(manager: Methods, server: RecordingServer): Methods {
  const layer = manager._pl as unknown as ProtocolLayer;
  layer.baseUri = server.origin;
  const send = layer.sendOperationRequest.bind(layer);
  let sent: Promise<unknown> | undefined;
  layer.sendOperationRequest = (...given) => sent = send(...given);
  return new Proxy(manager, {
    get: (target, name: string) => (...given: unknown[]) => {
      target[name]!(...given);
      return sent;
    },
  });
}
