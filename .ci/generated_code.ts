import { withUndefined } from "./optional_members.ts";

/**
 * Where the client's templates do not hold under `exactOptionalPropertyTypes`, or without all types of a browser, which
 * users compile them with: what the generator writes, and what has to stand there.
 */
const CORRECTIONS: Record<string, readonly (readonly [written: string, right: string])[]> = {
  "client/client.gen.ts": [
    [
      "type ReqInit = Omit<RequestInit, 'body' | 'headers'> & {\n  body?: any;\n  headers: ReturnType<typeof mergeHeaders>;\n};\n",
      "",
    ],
    ["options as ResolvedRequestOptions)", "options as unknown as ResolvedRequestOptions)"],
    ["opts.body as BodyInit | null | undefined", "opts.body as RequestInit['body']"],
    ["getValidRequestBody(opts) as BodyInit | null | undefined", "getValidRequestBody(opts) as RequestInit['body']"],
    ["const requestInit: ReqInit = {", "const requestInit = {"],
    ["body: getValidRequestBody(opts),\n      };", "body: getValidRequestBody(opts),\n      } as RequestInit;"],
  ],
  "client/types.gen.ts": [
    [
      "extends Omit<RequestInit, 'body' | 'headers' | 'method'>, CoreConfig",
      "extends OrUndefined<Omit<RequestInit, 'body' | 'headers' | 'method'>>, CoreConfig",
    ],
    ["Config as CoreConfig }", "Config as CoreConfig, OrUndefined }"],
  ],
  "core/params.gen.ts": [[
    "params[field.map] = value;",
    "params[field.map as Slot] = value as Record<string, unknown>;",
  ]],
  "core/queryKeySerializer.gen.ts": [[
    "const entries = Array.from(params.entries()).sort(",
    "const entries: [string, string][] = [];\n  params.forEach((value, key) => entries.push([key, value]));\n  entries.sort(",
  ]],
  "core/serverSentEvents.gen.ts": [
    ["import type { Config }", "import type { Config, OrUndefined }"],
    ["= Omit<RequestInit, 'method'> &", "= OrUndefined<Omit<RequestInit, 'method'>> &"],
    ["const requestInit: RequestInit = {", "const requestInit = {"],
    ["signal,\n        };", "signal,\n        } as RequestInit;"],
  ],
};

/** For the platform's own types, whose members that may be left out may not be `undefined`. */
const OR_UNDEFINED = "\nexport type OrUndefined<T> = { [Key in keyof T]: T[Key] | undefined };\n";

/** What the templates leave without a word, by what a declaration begins with. */
const DOCUMENTATION: Record<string, Record<string, string>> = {
  "sdk.gen.ts": {
    "export type Options<":
      "What a function of an operation is given: its parameters and body, the client, and options of the call.",
  },
  "types.gen.ts": {
    "export type ClientOptions = {": "What the description says about a client: the servers it may have.",
  },
  "client/types.gen.ts": {
    "export interface Config<": "The configuration of a client, any of which a call can have otherwise.",
    "export type RequestResult<":
      "What a call resolves to: the data, the request and the response; without `throwOnError` the error, too.",
    "export type Client =":
      "What the functions of the operations are called with: the hub's address, the headers, and what to do with requests and responses.",
  },
  "client/utils.gen.ts": {
    "export const createConfig =": "Makes the configuration that a client has where it is told nothing else.",
  },
};

/** The types of each operation, by how their names end. */
const TYPES_OF_OPERATION: Record<string, (operation: string) => string> = {
  Data: (operation) => `What \`${operation}\` is given: what goes into its path, its query, its headers and its body.`,
  Errors: (operation) => `The bodies of the errors that \`${operation}\` is answered with, by status.`,
  Error: (operation) => `The body of any error that \`${operation}\` is answered with.`,
  Responses: (operation) => `The bodies that \`${operation}\` is answered with when it succeeds, by status.`,
  Response: (operation) => `The body that \`${operation}\` is answered with when it succeeds.`,
};

/** Makes of what the generator wrote what is published: right under all options, and documented. */
export function finished(name: string, text: string, operationIds: readonly string[]): string {
  let result = text;
  for (const [written, right] of CORRECTIONS[name] ?? []) result = replaceOnce(result, written, right);
  if (name === "core/types.gen.ts") result += OR_UNDEFINED;
  for (const [start, documentation] of Object.entries(DOCUMENTATION[name] ?? {})) {
    result = replaceOnce(result, `\n${start}`, `\n/** ${documentation} */\n${start}`);
  }
  if (name === "types.gen.ts") result = withTypesOfOperations(result, operationIds);
  return withUndefined(name, result);
}

function withTypesOfOperations(text: string, operationIds: readonly string[]): string {
  let result = text;
  for (const operation of operationIds) {
    const typeName = operation[0]!.toUpperCase() + operation.slice(1);
    for (const [end, documentation] of Object.entries(TYPES_OF_OPERATION)) {
      const start = `\nexport type ${typeName}${end} =`;
      // An answer without a body has no type for it.
      if (result.includes(start)) result = replaceOnce(result, start, `\n/** ${documentation(operation)} */${start}`);
    }
  }
  return result;
}

function replaceOnce(text: string, written: string, right: string): string {
  if (text.split(written).length !== 2) throw new Error(`The generator does not write this once: ${written}`);
  return text.replace(written, () => right);
}
