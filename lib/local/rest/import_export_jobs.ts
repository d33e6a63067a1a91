import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `POST /jobs/create`: starts an import or export of identities. */
export async function createJob(call: RestCall): Promise<RestAnswer> {
  return ok(await call.hub.importExportJobs.create(await call.json()));
}

/** `GET /jobs`: reads all imports and exports. */
export function listJobs({ hub }: RestCall): RestAnswer {
  return ok(hub.importExportJobs.all());
}

/** `GET /jobs/{id}`: reads an import or export. */
export function readJob({ hub, ids: [id = ""] }: RestCall): RestAnswer {
  return ok(hub.importExportJobs.get(id));
}

/** `DELETE /jobs/{id}`: stops an import or export. */
export function cancelJob({ hub, ids: [id = ""] }: RestCall): RestAnswer {
  hub.importExportJobs.cancel(id);
  return { status: 204 };
}
