import { choose, hash, type Random, seededRandom } from "./random.ts";

type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** What is done to a request. */
export type Fault =
  | "429"
  | "503"
  | "500 before it ran"
  | "500 after it ran"
  | "reset before it ran"
  | "reset after it ran"
  | "reset in the middle of the body";

/** After so many failures in a row the same request gets through: a hub that fails without end is another matter. */
const MOST_IN_A_ROW = 12;

/**
 * A fetch between a manager and its hub that fails 30 % of the requests with a status and 5 % with a reset.
 *
 * What happens to a request depends on the seed, on what is asked and on how often it was asked before, and not on what else
 * is under way: a seed means the same faults each time.
 */
export class FaultyFetch {
  readonly counts: Map<Fault | "none", number> = new Map();
  readonly #fetch: Fetch;
  readonly #seed: number;
  readonly #requests = new Map<string, { random: Random; inARow: number }>();

  constructor(fetch: Fetch, seed: number) {
    this.#fetch = fetch;
    this.#seed = seed;
  }

  /** Not a method: it is handed over without its object. */
  readonly fetch: Fetch = async (url, init) => {
    const { fault, random } = this.#decide(`${init?.method} ${url} ${init?.body ?? ""}`);
    this.counts.set(fault ?? "none", (this.counts.get(fault ?? "none") ?? 0) + 1);
    switch (fault) {
      case "429":
        return refusal(429, "ThrottlingException", random);
      case "503":
        return refusal(503, "ServiceUnavailable", random);
      case "500 before it ran":
        return refusal(500, "ServerError", random);
      case "reset before it ran":
        throw reset();
    }
    const answer = await this.#fetch(url, init);
    if (fault === undefined) return answer;
    const text = await answer.text();
    if (fault === "500 after it ran") return refusal(500, "ServerError", random);
    // What has no body can only break before its head.
    if (fault === "reset after it ran" || text === "") throw reset();
    return new Response(brokenBody(text), { status: answer.status, headers: answer.headers });
  };

  #decide(request: string): { fault: Fault | undefined; random: Random } {
    let state = this.#requests.get(request);
    if (state === undefined) {
      state = { random: seededRandom(this.#seed ^ hash(request)), inARow: 0 };
      this.#requests.set(request, state);
    }
    const { random } = state;
    const fault = state.inARow < MOST_IN_A_ROW ? faultOf(random) : undefined;
    state.inARow = fault === undefined ? 0 : state.inARow + 1;
    return { fault, random };
  }
}

function faultOf(random: Random): Fault | undefined {
  const dice = random();
  if (dice < 0.30) return choose(random, ["429", "503", choose(random, ["500 before it ran", "500 after it ran"])]);
  if (dice >= 0.35) return undefined;
  return choose(random, [
    "reset before it ran",
    choose(random, ["reset after it ran", "reset in the middle of the body"]),
  ]);
}

/** In one of the shapes in which a hub or what stands before it refuses. */
function refusal(status: number, name: string, random: Random): Response {
  const trackingId = `${hash(`${random()}`).toString(16).padStart(32, "0")}-G:1-TimeStamp:11/21/2026 12:00:00`;
  const [body, named] = choose<[string, boolean]>(random, [
    [JSON.stringify({ Message: `ErrorCode:${name};Not now`, ExceptionMessage: `Tracking ID:${trackingId}` }), true],
    [
      JSON.stringify({ Message: JSON.stringify({ errorCode: status * 1000 + 1, message: "Not now", trackingId }) }),
      true,
    ],
    ["<html><body>Not now</body></html>", false],
    ["", false],
  ]);
  const headers = new Headers();
  if (named) headers.set("iothub-errorcode", name);
  if (random() < 0.3) headers.set("Retry-After", "0");
  return new Response(body, { status, headers });
}

function reset(): TypeError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET", syscall: "read" });
  return new TypeError("fetch failed", { cause });
}

function brokenBody(text: string): ReadableStream<Uint8Array> {
  let sent = false;
  return new ReadableStream({
    pull(controller) {
      if (sent) return controller.error(reset());
      sent = true;
      controller.enqueue(new TextEncoder().encode(text.slice(0, text.length / 2)));
    },
  });
}
