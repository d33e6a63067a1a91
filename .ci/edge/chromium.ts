import type { LocalHub, ServerCertificate } from "../../lib/local/mod.ts";
import type { ConformanceTarget } from "../../tests/conformance/check.ts";
import type { ConformanceResult } from "../../tests/conformance/suite.ts";
import type { Bundles } from "./bundles.ts";
import { servePage } from "./page_server.ts";
import type { Browser, Page } from "./tools.ts";

const HTML = '<!doctype html><title>Conformance</title><script type="module" src="page.js"></script>';

/** Opens a page of a server that stands in front of `hub`, for as long as `use` runs. */
export async function withPage<T>(
  browser: Browser,
  hub: LocalHub,
  { html, script, tls }: { html: string; script: string; tls: ServerCertificate },
  use: (page: Page, origin: string) => Promise<T>,
): Promise<T> {
  await using server = await servePage(hub, html, script, tls);
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  try {
    await page.goto(server.origin);
    return await use(page, server.origin);
  } finally {
    await page.close();
  }
}

/** Runs the suite in a page, with the entry without messages; the page's own server stands before the hub. */
export async function conformInChromium(
  browser: Browser,
  bundles: Bundles,
  hub: LocalHub,
  tls: ServerCertificate,
): Promise<ConformanceResult[]> {
  const program = `
    import * as module from "@iothub/registry-manager/http";
    import { runConformance } from "./tests/conformance/suite.ts";
    globalThis.conform = (target) => runConformance(module, target);`;
  const script = await bundles.build(program, "web");
  return await withPage(browser, hub, { html: HTML, script, tls }, async (page, endpoint) => {
    const target: ConformanceTarget = { connectionString: hub.connectionString, endpoint };
    return await page.evaluate<ConformanceResult[]>(`conform(${JSON.stringify(target)})`);
  });
}

/** What becomes of a call from a page to a hub of another origin: the code of its error, or `"ok"`. */
export async function callAcrossOrigins(
  browser: Browser,
  bundles: Bundles,
  hub: LocalHub,
  endpoint: string,
  tls: ServerCertificate,
): Promise<string> {
  const program = `
    import { IoTHubRegistryManager } from "@iothub/registry-manager/http";
    globalThis.call = (connectionString, endpoint) =>
      IoTHubRegistryManager.fromConnectionString(connectionString, { endpoint, retryOptions: { maxRetries: 0 } })
        .getDevices().then(() => "ok", (error) => error.code);`;
  const script = await bundles.build(program, "web");
  const args = [hub.connectionString, endpoint].map((text) => JSON.stringify(text)).join();
  return await withPage(browser, hub, { html: HTML, script, tls }, (page) => page.evaluate(`call(${args})`));
}
