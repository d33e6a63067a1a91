/// <reference lib="dom" />
/**
 * A page that notes in a device's twin where the device is, and lists the devices. The page's own server hands on its
 * requests to the hub, and gives it tokens: no key ever comes to the browser.
 */
import { IoTHubError, IoTHubRegistryManager } from "@iothub/registry-manager/http";

const credential = {
  getToken: async () => await (await fetch("token")).json(),
};
const registry = IoTHubRegistryManager.fromTokenCredential("myhub.azure-devices.net", credential, {
  endpoint: location.origin,
});

const [form, output, list] = [element("form"), element("output"), element("ul")] as const;

function element<Name extends keyof HTMLElementTagNameMap>(name: Name): HTMLElementTagNameMap[Name] {
  const found = document.querySelector(name);
  if (found === null) throw new Error(`The page has no ${name}`);
  return found;
}

async function showDevices(): Promise<void> {
  const items: HTMLElement[] = [];
  for await (const { deviceId, tags } of registry.query("SELECT * FROM devices WHERE is_defined(tags.site)")) {
    const item = document.createElement("li");
    item.textContent = `${deviceId}: ${tags?.["site"]}`;
    items.push(item);
  }
  list.replaceChildren(...items);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  try {
    await registry.updateTwin(String(fields.get("deviceId")), { tags: { site: String(fields.get("site")) } });
    output.textContent = "saved";
  } catch (error) {
    output.textContent = error instanceof IoTHubError ? error.code : String(error);
  }
  await showDevices();
});
