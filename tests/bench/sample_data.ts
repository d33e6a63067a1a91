/** A twin of about 1.6 kB as JSON, the size of a small device's. */
export function sampleTwin(deviceId: string): Record<string, unknown> {
  return {
    deviceId,
    etag: "AAAAAAAAAAE=",
    deviceEtag: "MTIzNDU2Nzg5",
    status: "enabled",
    statusUpdateTime: "0001-01-01T00:00:00Z",
    connectionState: "Connected",
    lastActivityTime: "2026-03-14T09:26:53.5897932Z",
    cloudToDeviceMessageCount: 0,
    authenticationType: "sas",
    x509Thumbprint: { primaryThumbprint: null, secondaryThumbprint: null },
    modelId: "",
    version: 42,
    tags: { site: "berlin", building: { floor: 3, room: "3.14" }, owner: "facilities" },
    properties: {
      desired: {
        intervalInSeconds: 60,
        limits: { lowest: 17.5, highest: 23.5 },
        firmware: { version: "4.2.1", url: "https://downloads.example.net/firmware/4.2.1" },
        ...versioned(["intervalInSeconds", "limits", "firmware"]),
      },
      reported: {
        temperature: 21.25,
        humidity: 48.5,
        battery: { level: 87, charging: false },
        firmware: { version: "4.2.0", state: "downloading" },
        ...versioned(["temperature", "humidity", "battery", "firmware"]),
      },
    },
    capabilities: { iotEdge: false },
    parentScopes: ["ms-azure-iot-edge://gateway-1-637"],
  };
}

/** What the hub adds to a section: when each property was last written. */
function versioned(names: readonly string[]): Record<string, unknown> {
  const lastUpdated = { $lastUpdated: "2026-03-14T09:26:53.5897932Z", $lastUpdatedVersion: 7 };
  const metadata = Object.fromEntries(names.map((name) => [name, lastUpdated]));
  return { $metadata: { $lastUpdated: lastUpdated.$lastUpdated, ...metadata }, $version: 7 };
}

/** What a bulk registration says of one device, less its id, which each client spells in its own way. */
export function sampleRegistration(): Record<string, unknown> {
  const key = btoa("sixteen bytes or more are a key");
  return {
    status: "enabled",
    authentication: { type: "sas", symmetricKey: { primaryKey: key, secondaryKey: key } },
    capabilities: { iotEdge: false },
    tags: { site: "berlin", building: { floor: 3, room: "3.14" }, owner: "facilities" },
    properties: { desired: { intervalInSeconds: 60, limits: { lowest: 17.5, highest: 23.5 } } },
  };
}

/** What a device sends. */
export function sampleEvent(): Record<string, unknown> {
  return { temperature: 21.25, humidity: 48.5, battery: { level: 87, charging: false } };
}
