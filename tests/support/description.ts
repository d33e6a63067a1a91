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

interface Content {
  readonly content?: { readonly "application/json": { readonly schema: AnySchemaObject } };
}

interface Operation {
  readonly operationId: string;
  readonly requestBody?: Content;
  readonly responses: Readonly<Record<string, Content & { readonly $ref?: string }>>;
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
  components: { responses: Record<string, Content> };
} = JSON.parse(readFileSync(new URL("../../openapi.json", import.meta.url), "utf8"));

const ROUTES: readonly Route[] = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
    parameters: path.split("{").length - 1,
    operation,
  }))
).sort((a, b) => a.parameters - b.parameters);

/** What an answer has that `openapi.json` does not say, or lacks that it does. Nothing for a request that is not in it. */
export function faultsOfAnswer({ method, path, body, status }: Exchange & { status: number }): string[] {
  const operation = operationOf(method, path);
  if (operation === undefined) return [];
  const { operationId, responses } = operation;
  const response = responses[status] ?? (status < 500 ? undefined : responses["default"]);
  if (response === undefined) return [`${operationId} is not said to answer ${status}`];
  const { content } = response.$ref === undefined ? response : components.responses[response.$ref.split("/").at(-1)!]!;
  if (content === undefined) return body === undefined ? [] : [`${operationId}, ${status}: there should be no body`];
  return faultsOf(content["application/json"].schema, body).map((fault) => `${operationId}, ${status}: ${fault}`);
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

function faultsOf(schema: AnySchemaObject, value: unknown): string[] {
  // References are looked up beside the schema.
  const validator = validators.get(schema) ?? ajv.compile({ ...schema, components });
  validators.set(schema, validator);
  if (validator(value)) return [];
  return (validator.errors ?? []).map(({ instancePath, message }) => `${instancePath || "the body"} ${message}`);
}
