import type { Check } from "./check.ts";
import { expect, expectEqual } from "./expect.ts";

const KEYS = { primaryKey: "cHJpbWFyeSBwcmltYXJ5IHByaW1hcnk=", secondaryKey: "c2Vjb25kYXJ5IHNlY29uZGFyeSBzZWM=" };
const [THUMBPRINT, OTHER_THUMBPRINT] = ["A".repeat(40), "B".repeat(64)];

/** Device and module identities with every way to sign in. */
export const IDENTITY_CHECKS: readonly Check[] = [
  {
    name: "devices with keys are created, read, updated and deleted",
    async run({ registry }) {
      const created = await registry.createDeviceWithSas("sas device=#?%", KEYS)
        .catch((error: Error) => error.name); // an id with a space is no id
      expectEqual(created, "RangeError");
      const device = await registry.createDeviceWithSas("sas%2F#?=1", KEYS);
      expectEqual(device.authentication.symmetricKey, KEYS);
      const { secondaryKey: primaryKey, primaryKey: secondaryKey } = KEYS;
      const etag = device.etag;
      await registry.updateDeviceWithSas("sas%2F#?=1", { etag, primaryKey, secondaryKey, status: "disabled" });
      const updated = await registry.getDevice("sas%2F#?=1");
      expectEqual([updated.status, updated.authentication.symmetricKey.primaryKey], ["disabled", primaryKey]);
      expect(updated.etag !== etag, "an update changes the etag");
      await registry.deleteDevice("sas%2F#?=1", { etag: updated.etag });
      expectEqual(await registry.getDevices(), [], "devices");
    },
  },
  {
    name: "devices with thumbprints and with a certificate authority are created, updated and listed",
    async run({ registry }) {
      await registry.createDeviceWithX509("x509", { primaryThumbprint: THUMBPRINT, statusReason: "Grüße, 世界" });
      const x509 = await registry.updateDeviceWithX509("x509", {
        primaryThumbprint: OTHER_THUMBPRINT,
        status: "enabled",
      });
      expectEqual(x509.authentication.x509Thumbprint.primaryThumbprint, OTHER_THUMBPRINT);
      await registry.createDeviceWithCertificateAuthority("ca", { statusReason: "Grüße, 世界" });
      expectEqual((await registry.getDevice("ca")).statusReason, "Grüße, 世界");
      await registry.updateDeviceWithCertificateAuthority("ca", { status: "disabled" });
      const devices = await registry.getDevices({ maxNumberOfDevices: 10 });
      expectEqual(devices.map(({ deviceId, status }) => [deviceId, status]).sort(), [
        ["ca", "disabled"],
        ["x509", "enabled"],
      ]);
      expectEqual(await registry.getDeviceRegistryStatistics(), {
        totalDeviceCount: 2,
        enabledDeviceCount: 1,
        disabledDeviceCount: 1,
      });
      await registry.deleteDevice("x509");
      await registry.deleteDevice("ca");
    },
  },
  {
    name: "modules are created, read, updated, listed and deleted",
    async run({ registry }) {
      await registry.createDeviceWithSas("with-modules");
      await registry.createModuleWithSas("with-modules", "sas", { ...KEYS, managedBy: "me" });
      await registry.createModuleWithX509("with-modules", "x509", { primaryThumbprint: THUMBPRINT });
      await registry.createModuleWithCertificateAuthority("with-modules", "ca");
      await registry.updateModuleWithSas("with-modules", "sas", { ...KEYS, managedBy: "you" });
      await registry.updateModuleWithX509("with-modules", "x509", { primaryThumbprint: OTHER_THUMBPRINT });
      await registry.updateModuleWithCertificateAuthority("with-modules", "ca", { managedBy: "you" });
      expectEqual((await registry.getModule("with-modules", "sas")).managedBy, "you");
      const ids = (await registry.getModules("with-modules")).map(({ moduleId }) => moduleId);
      expectEqual(ids.sort(), ["ca", "sas", "x509"]);
      for (const id of ids) await registry.deleteModule("with-modules", id!);
      expectEqual(await registry.getModules("with-modules"), []);
      await registry.deleteDevice("with-modules");
    },
  },
  {
    name: "identities are changed in part, and their keys renewed",
    async run({ registry }) {
      await registry.createDeviceWithSas("partly", { ...KEYS, iotEdge: true, status: "disabled" });
      const device = await registry.modifyDevice("partly", () => ({ statusReason: "Grüße, 世界" }));
      expectEqual([device.status, device.capabilities?.iotEdge, device.statusReason], [
        "disabled",
        true,
        "Grüße, 世界",
      ]);
      expectEqual(device.authentication?.symmetricKey, KEYS);
      const swapped = await registry.renewDeviceKeys("partly", { keys: "swap" });
      expectEqual(swapped.authentication?.symmetricKey?.primaryKey, KEYS.secondaryKey);
      expectEqual([swapped.status, swapped.capabilities?.iotEdge], ["disabled", true]);
      await registry.modifyDevice("partly", () => ({ status: "enabled" }));
      await registry.createModuleWithSas("partly", "module", KEYS);
      await registry.modifyModule("partly", "module", () => ({ managedBy: "you" }));
      const module = await registry.renewModuleKeys("partly", "module", { keys: "secondary" });
      expectEqual([module.managedBy, module.authentication?.symmetricKey?.primaryKey], ["you", KEYS.primaryKey]);
      expect(module.authentication?.symmetricKey?.secondaryKey !== KEYS.secondaryKey, "the second key is new");
      await registry.deleteDevice("partly");
    },
  },
];
