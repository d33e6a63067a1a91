import { readChoice } from "../jobs/choices.ts";
import { JOB_STATUSES, JOB_TYPES } from "../jobs/job_words.ts";
import { ok, type RestAnswer, type RestCall } from "./call.ts";

/** `PUT /jobs/v2/{id}`: creates a scheduled job. */
export async function createScheduledJob(call: RestCall): Promise<RestAnswer> {
  const body = await call.json();
  return ok(call.hub.scheduledJobs.create(jobIdOf(call), body));
}

/** `GET /jobs/v2/{id}`: reads a scheduled job. */
export function readScheduledJob(call: RestCall): RestAnswer {
  return ok(call.hub.scheduledJobs.get(jobIdOf(call)));
}

/** `POST /jobs/v2/{id}/cancel`: keeps a scheduled job from beginning. */
export function cancelScheduledJob(call: RestCall): RestAnswer {
  return ok(call.hub.scheduledJobs.cancel(jobIdOf(call)));
}

/** `GET /jobs/v2/query`: returns a page of the scheduled jobs. */
export function queryScheduledJobs({ hub, query, request: { headers } }: RestCall): RestAnswer {
  const filter = {
    type: readFilter(query, "jobType", JOB_TYPES),
    status: readFilter(query, "jobStatus", JOB_STATUSES),
  };
  const page = hub.scheduledJobs.page(filter, headers.get("x-ms-max-item-count"), headers.get("x-ms-continuation"));
  return ok(page.items, {
    "x-ms-item-type": "JobResponse",
    ...(page.continuation !== undefined && { "x-ms-continuation": page.continuation }),
  });
}

function jobIdOf({ ids: [id = ""] }: RestCall): string {
  return id;
}

function readFilter<T extends string>(query: URLSearchParams, name: string, words: readonly T[]): T | undefined {
  const word = query.get(name);
  return word === null || word === "" ? undefined : readChoice(name, word, words);
}
