import { request as httpRequest } from "node:http";
import { createRequire } from "node:module";
import { CONNECTION_STRING, HOST_NAME } from "./recorder.ts";
import type { RecordingServer } from "./recording_server.ts";

/** Some methods of the package; its own types are not loaded, since they need those of a dozen others. */
export type Methods<Name extends string> = Record<Name, (...given: unknown[]) => unknown>;

type RegistryMethods = Methods<
  | "addConfiguration"
  | "addDevices"
  | "addModule"
  | "applyConfigurationContentOnDevice"
  | "cancelJob"
  | "create"
  | "createQuery"
  | "delete"
  | "exportDevicesToBlob"
  | "exportDevicesToBlobByIdentity"
  | "get"
  | "getConfiguration"
  | "getConfigurations"
  | "getJob"
  | "getModule"
  | "getModuleTwin"
  | "getModulesOnDevice"
  | "getRegistryStatistics"
  | "getTwin"
  | "importDevicesFromBlob"
  | "importDevicesFromBlobByIdentity"
  | "list"
  | "listJobs"
  | "removeConfiguration"
  | "removeDevices"
  | "removeModule"
  | "update"
  | "updateConfiguration"
  | "updateDevices"
  | "updateModule"
  | "updateModuleTwin"
  | "updateTwin"
>;
type ClientMethods = Methods<"invokeDeviceMethod">;
type JobMethods = Methods<"cancelJob" | "createQuery" | "getJob" | "scheduleDeviceMethod" | "scheduleTwinUpdate">;
type DigitalTwinMethods = Methods<"getDigitalTwin" | "invokeCommand" | "invokeComponentCommand" | "updateDigitalTwin">;
type ManagerMethods = Methods<
  | "bulkCreateOrUpdateDevices"
  | "createDeviceWithCertificateAuthority"
  | "createDeviceWithSas"
  | "createDeviceWithX509"
  | "createModuleWithCertificateAuthority"
  | "createModuleWithSas"
  | "createModuleWithX509"
  | "deleteDevice"
  | "deleteModule"
  | "getDevice"
  | "getDeviceRegistryStatistics"
  | "getDevices"
  | "getModule"
  | "getModuleTwin"
  | "getModules"
  | "getServiceStatistics"
  | "getTwin"
  | "invokeDeviceMethod"
  | "invokeDeviceModuleMethod"
  | "queryIoTHub"
  | "replaceModuleTwin"
  | "replaceTwin"
  | "updateDevice"
  | "updateModule"
  | "updateModuleTwin"
  | "updateTwin"
>;

/** The classes of the vendor's package that have methods in common with ours. */
export interface OfficialSdk {
  registry: RegistryMethods;
  client: ClientMethods;
  manager: ManagerMethods;
  jobs: JobMethods;
  digitalTwins: DigitalTwinMethods;
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
  const { Registry, Client, JobClient, DigitalTwinClient, IoTHubTokenCredentials } = require("azure-iothub") as {
    Registry: Class<RegistryMethods>;
    Client: Class<ClientMethods>;
    JobClient: Class<JobMethods>;
    DigitalTwinClient: Class<DigitalTwinMethods & { _pl: ProtocolLayer }>;
    IoTHubTokenCredentials: Class<object>;
  };
  const { RestApiClient } = require("azure-iothub/dist/common-http/rest_api_client.js") as {
    RestApiClient: Class<object>;
  };
  const { Http } = require("azure-iothub/dist/common-http/http.js") as { Http: Class<HttpBase> };
  const { IoTHubRegistryManager } = require("azure-iothub/dist/cl/iothub_registry_manager.js") as {
    IoTHubRegistryManager: Class<ManagerMethods & { _pl: ProtocolLayer }>;
  };

  const http = new Http();
  const buildRequest = http.buildRequest.bind(http);
  http.buildRequest = (method, path, headers, _host, ...rest) =>
    buildRequest(method, path, headers, "127.0.0.1", { port: server.port, request: httpRequest }, rest.at(-1));
  // Would set an agent for https.
  http.setOptions = () => {};
  const config = { host: HOST_NAME, sharedAccessSignature: "SharedAccessSignature sr=none" };
  const restApiClient = new RestApiClient(config, "azure-iothub/test", http);

  const digitalTwins = new DigitalTwinClient(new IoTHubTokenCredentials(CONNECTION_STRING));
  digitalTwins._pl.baseUri = server.origin;

  return {
    registry: new Registry(config, restApiClient),
    client: new Client({}, restApiClient),
    manager: awaitable(new IoTHubRegistryManager(new IoTHubTokenCredentials(CONNECTION_STRING)), server),
    jobs: new JobClient(restApiClient),
    digitalTwins,
  };
}

/** Some methods of the package's manager drop their promise; these ones give that of the request they made. */
function awaitable(
  manager: ManagerMethods & { _pl: ProtocolLayer },
  server: RecordingServer,
): ManagerMethods {
  const layer = manager._pl;
  layer.baseUri = server.origin;
  const send = layer.sendOperationRequest.bind(layer);
  let sent: Promise<unknown> | undefined;
  layer.sendOperationRequest = (...given) => sent = send(...given);
  return new Proxy(manager, {
    get: (target, name) => (...given: unknown[]) => {
      target[name as keyof ManagerMethods](...given);
      return sent;
    },
  });
}
