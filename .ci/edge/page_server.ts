import { startFetchListener } from "./fetch_listener.ts";
import type { LocalHub, ServerCertificate } from "../../lib/local/mod.ts";

/** A web server that has a page, gives tokens, and hands on all else to a hub: what a browser needs. */
export interface PageServer extends AsyncDisposable {
  readonly origin: string;
}

/** Serves `html` with `script` as `page.js`, over HTTPS. */
export async function servePage(
  hub: LocalHub,
  html: string,
  script: string,
  tls: ServerCertificate,
): Promise<PageServer> {
  const { port, close } = await startFetchListener(async (request) => {
    switch (new URL(request.url).pathname) {
      case "/":
        return new Response(html, { headers: { "Content-Type": "text/html; charset=utf-8" } });
      case "/page.js":
        return new Response(script, { headers: { "Content-Type": "text/javascript; charset=utf-8" } });
      case "/token":
        return Response.json(await hub.tokenCredential().getToken("https://iothubs.azure.net/.default"));
      default:
        return await hub.fetch(request);
    }
  }, { hostname: "127.0.0.1", port: 0, tls });
  return { origin: `https://127.0.0.1:${port}`, [Symbol.asyncDispose]: close };
}
