import type { Check } from "./check.ts";
import { expect, expectEqual } from "./expect.ts";

/** Twins of devices and modules. */
export const TWIN_CHECKS: readonly Check[] = [
  {
    name: "a device's twin is read, merged and replaced",
    async run({ registry }) {
      await registry.createDeviceWithSas("twin");
      const patch = { tags: { site: "Köln", floor: 1 }, properties: { desired: { a: { b: 1 } } } };
      const { etag } = await registry.updateTwin("twin", patch);
      await registry.updateTwin("twin", { tags: { floor: null } }, { etag });
      const twin = await registry.getTwin("twin");
      expectEqual(twin.tags, { site: "Köln" });
      const replaced = await registry.replaceTwin("twin", { ...twin, tags: { site: "Bonn" } });
      expectEqual([replaced.tags, replaced.properties.desired["a"]], [{ site: "Bonn" }, { b: 1 }]);
    },
  },
  {
    name: "a module's twin is read, merged and replaced",
    async run({ registry }) {
      await registry.createModuleWithSas("twin", "module");
      await registry.updateModuleTwin("twin", "module", { properties: { desired: { rate: 5 } } });
      expectEqual((await registry.getModuleTwin("twin", "module")).properties.desired["rate"], 5);
      const replaced = await registry.replaceModuleTwin("twin", "module", {});
      expect(!("rate" in replaced.properties!.desired!), "replacing removes what is left out");
    },
  },
  {
    name: "changes that depend on what is there are all made, though at once",
    async run({ registry }) {
      const count = (value: unknown): { tags: { count: number } } => ({ tags: { count: Number(value ?? 0) + 1 } });
      await Promise.all(
        Array.from({ length: 5 }, () => registry.modifyTwin("twin", ({ tags }) => count(tags?.["count"]))),
      );
      expectEqual((await registry.getTwin("twin")).tags?.["count"], 5);
      const modify = (): Promise<unknown> =>
        registry.modifyModuleTwin("twin", "module", ({ tags }) => count(tags?.["count"]));
      await Promise.all([modify(), modify(), modify()]);
      expectEqual((await registry.getModuleTwin("twin", "module")).tags?.["count"], 3);
      await registry.deleteDevice("twin");
    },
  },
];
