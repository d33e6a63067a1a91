import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchemaObject, type ValidateFunction } from "ajv/dist/2020.js";

/** A request, or the answer to it. */
export interface Exchange {
  method: string;
  /** Without the query. */
  path: string;
  /** `undefined` if there is none. */
  body: unknown;
}

/** The answer to a request. */
export interface AnswerExchange extends Exchange {
  status: number;
  headers: Headers;
}

interface Content {
  readonly content?: { readonly "application/json": { readonly schema: AnySchemaObject } };
}

interface Reference {
  readonly $ref: string;
}

interface DescribedHeader {
  readonly required?: boolean;
  readonly schema: AnySchemaObject;
}

interface DescribedAnswer extends Content {
  readonly headers?: Readonly<Record<string, DescribedHeader | Reference>>;
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, DescribedAnswer | Reference>>;
}

interface Route {
  readonly method: string;
  readonly path: RegExp;
  /** How many parts of the path are parameters: `/devices/query` is no device of that name. */
  readonly parameters: number;
  readonly operation: Operation;
}

const { paths, components }: {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, DescribedAnswer>; headers: Record<string, DescribedHeader> };
} = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));

const ROUTES: readonly Route[] = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    parameters: path.split("{").length - 1,
    operation,
  }))
).sort((a, b) => a.parameters - b.parameters);

/** All paths, with something in place of each parameter. */
export const SAMPLE_PATHS: readonly string[] = Object.keys(paths).map((path) => path.replaceAll(/\{\w+\}/g, "x"));

/** The methods that there are for a path, be it one of its own or one with parameters that fits too. */
export function methodsOf(path: string): string[] {
  return [...new Set(ROUTES.filter((route) => route.path.test(path)).map((route) => route.method))];
}

/** What every answer may have, whatever the operation. */
const GENERAL_HEADERS: ReadonlySet<string> = new Set([
  "content-length",
  "content-type",
  "date",
  "server",
  "vary",
  "x-ms-request-id",
]);

/** What an answer has that `openapi.json` does not say, or lacks that it does. Nothing for a request that is not in it. */
export function faultsOfAnswer({ method, path, status, headers, body }: AnswerExchange): string[] {
  const operation = operationOf(method, path);
  if (operation === undefined) return [];
  const { operationId, responses } = operation;
  const described = responses[status] ?? (status < 500 ? undefined : responses["default"]);
  if (described === undefined) return [`${operationId} is not said to answer ${status}`];
  const answer = resolve(described, components.responses);
  const faults = [...faultsOfHeaders(answer, headers), ...faultsOfBody(answer, headers, body)];
  return faults.map((fault) => `${operationId}, ${status}: ${fault}`);
}

function faultsOfHeaders({ headers: described = {} }: DescribedAnswer, headers: Headers): string[] {
  const names = new Set(Object.keys(described).map((name) => name.toLowerCase()));
  const strangers = [...headers.keys()].filter((name) => !names.has(name) && !GENERAL_HEADERS.has(name));
  const faults = Object.entries(described).flatMap(([name, header]) =>
    faultsOfHeader(name, resolve(header, components.headers), headers.get(name))
  );
  return [...strangers.map((name) => `there should be no header ${name}`), ...faults];
}

function faultsOfHeader(name: string, { required = false, schema }: DescribedHeader, text: string | null): string[] {
  if (text === null) return required ? [`there should be a header ${name}`] : [];
  return faultsOf(schema, schema["type"] === "integer" ? Number(text) : text, `the header ${name}`);
}

function faultsOfBody({ content }: DescribedAnswer, headers: Headers, body: unknown): string[] {
  if (content === undefined) return body === undefined ? [] : ["there should be no body"];
  const type = headers.get("content-type") ?? "none";
  const isJson = /^application\/json(;|$)/.test(type);
  const faults = faultsOf(content["application/json"].schema, body);
  return isJson ? faults : [`the content type should be application/json, and is ${type}`, ...faults];
}

function resolve<T extends object>(described: T | Reference, components: Readonly<Record<string, T>>): T {
  return "$ref" in described ? components[described.$ref.split("/").at(-1)!]! : described;
}

/** What a request's body has that `openapi.json` does not allow, or lacks that it requires. */
export function faultsOfRequest({ method, path, body }: Exchange): string[] {
  const operation = operationOf(method, path);
  if (operation === undefined) return [`${method} ${path} is not in the description`];
  const schema = operation.requestBody?.content?.["application/json"].schema;
  if (schema === undefined) return body === undefined ? [] : [`${operation.operationId} takes no body`];
  return faultsOf(schema, body).map((fault) => `${operation.operationId}: ${fault}`);
}

function operationOf(method: string, path: string): Operation | undefined {
  return ROUTES.find((route) => route.method === method && route.path.test(path))?.operation;
}

// A format is told to people only: the hub's times have seven digits after the point.
const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
const validators = new Map<AnySchemaObject, ValidateFunction>();

function faultsOf(schema: AnySchemaObject, value: unknown, name: string = "the body"): string[] {
  // References are looked up beside the schema.
  const validator = validators.get(schema) ?? ajv.compile({ ...schema, components });
  validators.set(schema, validator);
  if (validator(value)) return [];
  return (validator.errors ?? []).map(({ instancePath, message }) => `${instancePath || name} ${message}`);
}
