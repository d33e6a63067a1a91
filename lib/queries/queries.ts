import type { ModuleTwin, QuerySpecification, Twin } from "../../gen/types.gen.ts";
import * as operations from "../../gen/sdk.gen.ts";
import { callHub } from "../transport/call_hub.ts";
import { HubClient } from "../transport/hub_client.ts";
import * as facts from "../transport/operations.ts";
import { checkOptions, type OperationOptions } from "../timing/operation_options.ts";
import { type PagedAsyncIterableIterator, pagedIterator } from "../requests/paged_iterator.ts";
import { pagingHeaders, queryBody, type QueryResult, queryResult } from "../requests/query_page.ts";
import type { ModuleTwinQuery, TwinQuery } from "./twin_query.ts";

/** Queries over the twins of a hub, in its SQL-like language. */
export class Queries extends HubClient {
  /**
   * Runs a query and returns one page of its result. To read all pages, {@linkcode Queries.query} is simpler.
   *
   * @param query The query's text, or an object that contains it.
   * @param options Which page to return (`continuationToken`; the first by default), how many rows it may have
   * (`maxItemCount`; the hub returns at most 100), and options for this call.
   * @returns The rows as the hub sent them, their type, and the token of the next page.
   * @throws {TypeError} When an argument has the wrong type; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal; nothing is sent.
   * @throws {IoTHubError} `ArgumentInvalid` (400) when the hub does not understand the query.
   *
   * @example Read one page at a time
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.createDeviceWithSas("thermostat-1");
   * await registry.createDeviceWithSas("thermostat-2");
   * const first = await registry.queryIotHub("SELECT deviceId FROM devices", { maxItemCount: 1 });
   * const { continuationToken } = first;
   * const second = await registry.queryIotHub("SELECT deviceId FROM devices", { maxItemCount: 1, continuationToken });
   * console.assert(first.items.length === 1 && second.continuationToken === undefined);
   * ```
   *
   * REST operation: `POST /devices/query`.
   */
  queryIotHub(
    query: TwinQuery,
    options?: OperationOptions & { continuationToken?: string | undefined; maxItemCount?: number | undefined },
  ): Promise<QueryResult<Twin>>;
  /** Runs a query for whole twins of modules and returns one page of its result. */
  queryIotHub(
    query: ModuleTwinQuery,
    options?: OperationOptions & { continuationToken?: string | undefined; maxItemCount?: number | undefined },
  ): Promise<QueryResult<ModuleTwin>>;
  /** Runs any other query and returns one page of its result, whose rows are what the type argument says. */
  queryIotHub<T = Record<string, unknown>>(
    query: string | QuerySpecification,
    options?: OperationOptions & { continuationToken?: string | undefined; maxItemCount?: number | undefined },
  ): Promise<QueryResult<T>>;
  queryIotHub<T>(
    query: string | QuerySpecification,
    options: OperationOptions & { continuationToken?: string | undefined; maxItemCount?: number | undefined } = {},
  ): Promise<QueryResult<T>> {
    return callHub(this, facts.queryIotHub, {}, options, async (call) => {
      const body = queryBody(query);
      const headers = pagingHeaders(options.continuationToken, options.maxItemCount);
      const { data, response } = await operations.queryIotHub({ ...call(), body, headers });
      return { data: queryResult<T>(facts.queryIotHub.name, data, response.headers) };
    });
  }

  /**
   * Runs a query and returns its rows one after the other, from all pages. Nothing is sent before the first row is asked for.
   * While one page is being read, the next is already requested.
   *
   * A device that has never connected has a `lastActivityTime` and a `connectionStateUpdatedTime` in the year 1, so that it
   * is before any time that a query names. `lastActivityTime > '0001-01-02T00:00:00Z'` leaves such devices out.
   *
   * @param query The query's text, or an object that contains it.
   * @param options How many rows a page may have (`maxItemCount`; the hub returns at most 100), and options for each call.
   * @returns The rows for `for await`, or the pages with `.byPage({ continuationToken, maxPageSize })`.
   * @throws {TypeError} When an argument has the wrong type. It is thrown when the first row is read; nothing is sent.
   * @throws {RangeError} When an argument's value is not legal. It is thrown when the first row is read; nothing is sent.
   * @throws {IoTHubError} `ArgumentInvalid` (400) when the hub does not understand the query.
   *
   * @example List the devices of a site
   * ```ts
   * import { IoTHubRegistryManager } from "@iothub/registry-manager";
   * import { LocalHub } from "@iothub/registry-manager/local";
   *
   * await using hub = new LocalHub();
   * await using registry = IoTHubRegistryManager.fromConnectionString(hub.connectionString, hub.clientOptions);
   *
   * await registry.bulkCreateOrUpdateDevices([
   *   { id: "thermostat-1", importMode: "create", tags: { site: "berlin" } },
   *   { id: "thermostat-2", importMode: "create", tags: { site: "bonn" } },
   * ]);
   * const ids: string[] = [];
   * for await (const twin of registry.query("SELECT * FROM devices WHERE tags.site = 'berlin'")) {
   *   ids.push(twin.deviceId);
   * }
   * console.assert(ids.join() === "thermostat-1");
   * ```
   *
   * REST operation: `POST /devices/query`.
   */
  query(
    query: TwinQuery,
    options?: OperationOptions & { maxItemCount?: number | undefined },
  ): PagedAsyncIterableIterator<Twin, QueryResult<Twin>>;
  /** Runs a query for whole twins of modules and returns them one after the other. */
  query(
    query: ModuleTwinQuery,
    options?: OperationOptions & { maxItemCount?: number | undefined },
  ): PagedAsyncIterableIterator<ModuleTwin, QueryResult<ModuleTwin>>;
  /** Runs any other query and returns its rows one after the other, which are what the type argument says. */
  query<T = Record<string, unknown>>(
    query: string | QuerySpecification,
    options?: OperationOptions & { maxItemCount?: number | undefined },
  ): PagedAsyncIterableIterator<T, QueryResult<T>>;
  query<T>(
    query: string | QuerySpecification,
    options: OperationOptions & { maxItemCount?: number | undefined } = {},
  ): PagedAsyncIterableIterator<T, QueryResult<T>> {
    return pagedIterator<T, QueryResult<T>>(
      facts.queryIotHub.name,
      (continuationToken, maxPageSize) => {
        checkOptions(options, [["maxItemCount"]]);
        const maxItemCount = maxPageSize ?? options.maxItemCount;
        return this.queryIotHub<T>(query, { ...options, continuationToken, maxItemCount });
      },
      options?.abortSignal,
    );
  }
}
