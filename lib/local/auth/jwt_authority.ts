import { ALL_RIGHTS, type Principal, type TokenVerifier } from "./authorization.ts";
import { checkNumber, checkType } from "../../values/checks.ts";
import { checkMembers } from "../../values/members.ts";
import { type HubFault, unauthorized } from "../hub_fault.ts";
import type { CryptoKey } from "../../values/crypto_key.ts";

const AUDIENCE = "https://iothubs.azure.net";
const ALGORITHM = "ES256";
const DEFAULT_LIFETIME_IN_SECONDS = 3600;

/** How the tokens of `hub.tokenCredential()` differ from ordinary ones, for example to see them refused. */
export interface LocalTokenCredentialOptions {
  /** The service that the token is for, instead of the requested scope without `/.default`. */
  audience?: string | undefined;
  /** The issuer of the token, instead of the one that the hub trusts. */
  issuer?: string | undefined;
  /**
   * How long the token is valid, in seconds. A negative number makes a token that has already expired.
   * @default {3600}
   */
  expiresInSeconds?: number | undefined;
  /** The private ES256 key, a `CryptoKey`, that signs the token, instead of the one that the hub trusts. */
  signingKey?: Parameters<typeof crypto.subtle.sign>[1] | undefined; // Node's types have no global `CryptoKey`.
}

/** An access token. */
export interface LocalAccessToken {
  /** The token itself, which follows `Bearer` in a header. */
  token: string;
  /** When it expires, in milliseconds since the epoch. */
  expiresOnTimestamp: number;
}

/** A source of access tokens, of the same shape as `TokenCredential` of `@azure/core-auth`. */
export interface LocalTokenCredential {
  /** Issues a token for the first of the scopes. */
  getToken(scopes: string | string[], options?: { abortSignal?: unknown }): Promise<LocalAccessToken>;
}

interface KeyPair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}

/** Issues and verifies the access tokens that stand in for those of Microsoft Entra ID. Each grants every right. */
export class JwtAuthority implements TokenVerifier {
  readonly #now: () => number;
  readonly #clockSkew: number;
  readonly #issuer = `https://sts.windows.net/${crypto.randomUUID()}/`;
  #keys: Promise<KeyPair> | undefined;

  constructor(now: () => number, clockSkew: number) {
    this.#now = now;
    this.#clockSkew = clockSkew;
  }

  credential(options: LocalTokenCredentialOptions): LocalTokenCredential {
    checkCredentialOptions(options);
    return { getToken: (scopes) => this.#sign([scopes].flat()[0] ?? `${AUDIENCE}/.default`, options) };
  }

  async verify(token: string): Promise<Principal> {
    const { jwtVerify } = await import("jose");
    const { publicKey } = await this.#keyPair();
    try {
      const { payload } = await jwtVerify(token.slice(token.indexOf(" ") + 1).trim(), publicKey, {
        algorithms: [ALGORITHM],
        issuer: this.#issuer,
        audience: AUDIENCE,
        requiredClaims: ["exp"],
        currentDate: new Date(this.#now()),
        clockTolerance: this.#clockSkew / 1000,
      });
      return { kind: "bearer", rights: ALL_RIGHTS, pathPrefix: [], expiresOn: payload.exp! * 1000 + this.#clockSkew };
    } catch (error) {
      throw invalidToken(reasonOf(error));
    }
  }

  async #sign(scope: string, options: LocalTokenCredentialOptions): Promise<LocalAccessToken> {
    const { SignJWT } = await import("jose");
    const issuedAt = Math.floor(this.#now() / 1000);
    const expiresOn = issuedAt + (options.expiresInSeconds ?? DEFAULT_LIFETIME_IN_SECONDS);
    const token = await new SignJWT({ oid: crypto.randomUUID() })
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setIssuer(options.issuer ?? this.#issuer)
      .setAudience(options.audience ?? scope.replace(/\/\.default$/, ""))
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresOn)
      .sign(options.signingKey ?? (await this.#keyPair()).privateKey);
    return { token, expiresOnTimestamp: expiresOn * 1000 };
  }

  #keyPair(): Promise<KeyPair> {
    this.#keys ??= crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
    return this.#keys;
  }
}

function checkCredentialOptions(options: LocalTokenCredentialOptions): void {
  checkMembers("options", options, ["audience", "issuer", "expiresInSeconds", "signingKey"]);
  const { audience, issuer, expiresInSeconds, signingKey } = options;
  if (audience !== undefined) checkType("audience", audience, "string");
  if (issuer !== undefined) checkType("issuer", issuer, "string");
  if (expiresInSeconds !== undefined) {
    checkNumber("expiresInSeconds", expiresInSeconds, Number.isFinite, "a finite number");
  }
  if (signingKey !== undefined) checkType("signingKey", signingKey, "object");
}

/** The texts of jose could quote a claim. These name the broken rule and reveal nothing of the token. */
function reasonOf(error: unknown): string {
  const { code, claim } = error as { code?: string; claim?: string };
  if (code === "ERR_JWT_EXPIRED") return "the access token has expired; get a new one";
  if (code === "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") return "the signature of the access token is wrong";
  if (claim === "aud") return `the audience of the access token must be ${AUDIENCE}`;
  if (claim === "iss") return "the issuer of the access token is not the one that the hub trusts";
  if (claim !== undefined) return `the claim ${claim} of the access token is missing or wrong`;
  return "the access token is not a JWT that the hub can read";
}

function invalidToken(reason: string): HubFault {
  return unauthorized("IotHubUnauthorized", `Unauthorized: ${reason}`);
}
