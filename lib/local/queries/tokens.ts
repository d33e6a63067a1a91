import type { HubFault } from "../hub_fault.ts";
import { invalidQueryAt } from "./query_fault.ts";

/** The smallest unit of a query text. */
export interface Token {
  readonly kind: "name" | "quotedName" | "number" | "string" | "symbol" | "end";
  /** A name or symbol as it is written; the value of a string. */
  readonly text: string;
  readonly number: number;
  /** Where the token starts, counted from 0. */
  readonly position: number;
}

const MAX_LENGTH = 8192;
const SPACE = /\s+|\/\*[^]*?\*\//y;
const NAME = /[\p{L}_$][\p{L}\p{Nd}_$]*/uy;
const HEX = /0[xX][0-9a-fA-F]+(?![\p{L}\p{Nd}_$])/uy;
const DECIMAL = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\p{L}\p{Nd}_$.])/uy;
const QUOTED_NAME = /\[\[(.+?)\]\](?!\])/sy;
const STRING = /'((?:[^'\\]|\\u[0-9a-fA-F]{4}|\\['"\\])*)'|"((?:[^"\\]|\\u[0-9a-fA-F]{4}|\\['"\\])*)"/y;
const SYMBOL = /!=|<>|<=|>=|[=<>+\-*/%(),.[\]]/y;
const ESCAPE = /\\(?:u([0-9a-fA-F]{4})|(.))/g;

/**
 * Splits a query text into tokens.
 *
 * @throws {HubFault} `ArgumentInvalid` (400) at the first character that no token can start with.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let position = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    return pattern.exec(text);
  };
  while (position < text.length) {
    const token = nextToken(match, position);
    if (token.found === undefined) throw invalidQueryAt(text, position, "this character is not expected");
    if (token.token !== undefined) tokens.push(token.token);
    position += token.found.length;
  }
  tokens.push({ kind: "end", text: "the end", number: 0, position });
  return tokens;
}

function nextToken(
  match: (pattern: RegExp) => RegExpExecArray | null,
  position: number,
): { found?: string; token?: Token } {
  let found = match(SPACE);
  if (found !== null) return { found: found[0] };
  found = match(NAME);
  if (found !== null) return { found: found[0], token: { kind: "name", text: found[0], number: 0, position } };
  found = match(HEX) ?? match(DECIMAL);
  if (found !== null) {
    return { found: found[0], token: { kind: "number", text: found[0], number: Number(found[0]), position } };
  }
  found = match(STRING);
  if (found !== null) {
    const text = unescapeText(found[1] ?? found[2] ?? "");
    return { found: found[0], token: { kind: "string", text, number: 0, position } };
  }
  found = match(QUOTED_NAME);
  if (found !== null) return { found: found[0], token: { kind: "quotedName", text: found[1]!, number: 0, position } };
  found = match(SYMBOL);
  if (found !== null) return { found: found[0], token: { kind: "symbol", text: found[0], number: 0, position } };
  return {};
}

function unescapeText(text: string): string {
  return text.replace(ESCAPE, (_, hex?: string, char?: string) => {
    return hex === undefined ? char! : String.fromCharCode(parseInt(hex, 16));
  });
}

/** Reads the tokens of a query one by one. */
export class TokenReader {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  /**
   * Reads a text from its start.
   *
   * @throws {HubFault} `ArgumentInvalid` (400) when it is too long, or something in it can be no token.
   */
  constructor(text: string) {
    if (text.length > MAX_LENGTH) {
      const problem = `it has ${text.length} characters, and at most ${MAX_LENGTH} are allowed`;
      throw invalidQueryAt(text, MAX_LENGTH, problem);
    }
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  /** The next token, which stays unread. */
  get next(): Token {
    return this.#tokens[this.#at]!;
  }

  /** Whether the token after the next one is this symbol. */
  isFollowedBy(symbol: string): boolean {
    const token = this.#tokens[this.#at + 1];
    return token?.kind === "symbol" && token.text === symbol;
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  isKeyword(word: string): boolean {
    return this.next.kind === "name" && this.next.text.toUpperCase() === word;
  }

  isSymbol(symbol: string): boolean {
    return this.next.kind === "symbol" && this.next.text === symbol;
  }

  takeKeyword(word: string): boolean {
    const found = this.isKeyword(word);
    if (found) this.#at++;
    return found;
  }

  takeSymbol(symbol: string): boolean {
    const found = this.isSymbol(symbol);
    if (found) this.#at++;
    return found;
  }

  expectKeyword(word: string): void {
    if (!this.takeKeyword(word)) throw this.fault(`${word} is expected here`);
  }

  expectSymbol(symbol: string): void {
    if (!this.takeSymbol(symbol)) throw this.fault(`${symbol} is expected here`);
  }

  expectEnd(): void {
    if (this.next.kind !== "end") throw this.fault("the text is expected to end here");
  }

  /** Creates an error at the next token. */
  fault(problem: string): HubFault {
    return invalidQueryAt(this.#text, this.next.position, problem);
  }
}
