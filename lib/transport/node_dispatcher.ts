/** What Node's own `fetch` and `WebSocket` send their requests with. */
export interface Dispatcher {
  dispatch(options: object, handler: unknown): boolean;
  destroy(): Promise<void>;
}

/** Makes a dispatcher wait without end. Node's `fetch` would give up after 300 s, but calls have deadlines of their own. */
export const NO_TIME_LIMITS = { headersTimeout: 0, bodyTimeout: 0 };

/** The dispatcher that Node uses for all requests. The user may have set it, or the environment may have named a proxy. */
export function globalDispatcher(): Dispatcher {
  const globals = globalThis as unknown as { Response: unknown } & Record<symbol, Dispatcher>;
  // Node loads its fetch when one of the classes is first asked for, and then leaves the dispatcher under these names.
  void globals.Response;
  const [newer, older] = ["2", "1"].map((version) => globals[Symbol.for(`undici.globalDispatcher.${version}`)]);
  return (newer ?? older)!;
}

/** Returns a dispatcher that does what Node's own does, and never gives up. */
export function patientDispatcher(): Pick<Dispatcher, "dispatch"> {
  return {
    dispatch: (options, handler) => globalDispatcher().dispatch({ ...options, ...NO_TIME_LIMITS }, handler),
  };
}
