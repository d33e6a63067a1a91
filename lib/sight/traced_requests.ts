/** Where OpenTelemetry's API keeps what the program, or the runtime, has registered. */
const REGISTERED = Symbol.for("opentelemetry.js.api.1");

interface Globals {
  [REGISTERED]?: { readonly trace?: unknown };
  readonly Deno?: { readonly telemetry?: { readonly tracerProvider?: unknown } };
}

/** Whether the runtime's own `fetch` makes a span of each request by itself, as Deno's does with `OTEL_DENO=true`. */
export function requestsAreTraced(): boolean {
  const { [REGISTERED]: registered, Deno } = globalThis as Globals;
  const own = Deno?.telemetry?.tracerProvider;
  return own !== undefined && registered?.trace === own;
}
