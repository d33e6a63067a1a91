import type { Policy, Principal, TokenVerifier } from "./authorization.ts";
import { fromBase64 } from "./base64.ts";
import { type HubFault, unauthorized } from "./hub_fault.ts";

interface ParsedSas {
  /** Exactly as in the token: this, not its meaning, is what is signed. */
  sr: string;
  sig: string;
  se: string;
  skn: string;
}

/** Verifies shared access signatures of the hub's policies. */
export class SasVerifier implements TokenVerifier {
  readonly #hostName: string;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #now: () => number;
  readonly #clockSkew: number;
  /** Two imported keys for each policy whose token has been seen. */
  readonly #keys = new Map<Policy, Promise<CryptoKey[]>>();

  constructor(
    options: { hostName: string; policies: ReadonlyMap<string, Policy>; now: () => number; clockSkew: number },
  ) {
    this.#hostName = options.hostName;
    this.#policies = options.policies;
    this.#now = options.now;
    this.#clockSkew = options.clockSkew;
  }

  async verify(token: string): Promise<Principal> {
    const sas = parse(token);
    const [host, ...pathPrefix] = splitResource(sas.sr);
    if (host !== this.#hostName.toLowerCase()) {
      throw bad(`the token is for another host than ${this.#hostName}`);
    }
    const policy = this.#policies.get(sas.skn);
    if (policy === undefined) throw bad(`the hub has no policy ${JSON.stringify(sas.skn)}`);
    if (!await this.#isSigned(sas, policy)) throw bad(`the signature does not fit the keys of policy ${policy.name}`);
    const expiresOn = Number(sas.se) * 1000 + this.#clockSkew;
    if (this.#now() >= expiresOn) throw bad("the token has expired, sign a new one");
    return { kind: "sas", rights: policy.rights, pathPrefix, expiresOn };
  }

  async #isSigned(sas: ParsedSas, policy: Policy): Promise<boolean> {
    const signature = fromBase64(sas.sig);
    if (signature === undefined) return false;
    const signed = new TextEncoder().encode(`${sas.sr}\n${sas.se}`);
    for (const key of await this.#keysOf(policy)) {
      if (await crypto.subtle.verify("HMAC", key, signature, signed)) return true;
    }
    return false;
  }

  #keysOf(policy: Policy): Promise<CryptoKey[]> {
    let keys = this.#keys.get(policy);
    if (keys === undefined) {
      keys = Promise.all([policy.primaryKey, policy.secondaryKey].map(importKey));
      this.#keys.set(policy, keys);
    }
    return keys;
  }
}

function importKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", fromBase64(key)!, { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
}

function parse(token: string): ParsedSas {
  const fields = new Map<string, string>();
  for (const field of token.slice(token.indexOf(" ") + 1).trim().split("&")) {
    const at = field.indexOf("=");
    if (at > 0) fields.set(field.slice(0, at), field.slice(at + 1));
  }
  for (const name of ["sr", "sig", "se", "skn"]) {
    if (!fields.get(name)) throw bad(`the token has no ${name}`);
  }
  const se = fields.get("se")!;
  if (!/^\d+$/.test(se)) throw bad("se of the token must be seconds since 1970, in digits");
  return {
    sr: fields.get("sr")!,
    sig: unescape("sig", fields.get("sig")!),
    se,
    skn: unescape("skn", fields.get("skn")!),
  };
}

/** The host in lower case, then the segments of the path. */
function splitResource(sr: string): string[] {
  const [host = "", ...path] = unescape("sr", sr).split("/");
  return [host.toLowerCase(), ...path.filter((segment) => segment !== "")];
}

function unescape(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad(`${name} of the token is not well percent-encoded`);
  }
}

function bad(reason: string): HubFault {
  return unauthorized("IotHubUnauthorized", `Unauthorized: ${reason}`);
}
