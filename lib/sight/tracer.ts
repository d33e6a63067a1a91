/**
 * The part of OpenTelemetry's API that is used here, declared again so that nobody has to install `@opentelemetry/api` for
 * it. Every tracer of that package fits; a test keeps it so.
 *
 * @module
 */

/** What is said of a span or of an event. */
export type TracerAttributes = Record<string, string | number | boolean>;

/** How a span begins. */
export interface TracerSpanOptions {
  /** The kind of the span: 0 internal, 2 client, 3 producer. */
  kind?: number;
  /** What is known of it from the beginning. */
  attributes?: TracerAttributes;
  /** When it has begun, if that is over. */
  startTime?: Date;
  /** Whether it has no parent, whatever is active. */
  root?: boolean;
}

/** One span. */
export interface TracerSpan {
  /** Tells which span this is, for other processes. */
  spanContext(): {
    traceId: string;
    spanId: string;
    traceFlags: number;
    traceState?: { serialize(): string } | undefined;
  };
  /** Says something of it. */
  setAttribute(name: string, value: string | number | boolean): unknown;
  /** Adds something that happens within it. */
  addEvent(name: string, attributes?: TracerAttributes): unknown;
  /** Sets how it has gone: code 2 is for a failure. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Ends it. */
  end(): void;
}

/** Makes spans, such as `trace.getTracer("my-program")` of `@opentelemetry/api`. */
export interface Tracer {
  /** Begins a span, as a child of the active one. */
  startSpan(name: string, options?: TracerSpanOptions): TracerSpan;
  /** Begins a span, and calls `work` with it while it is the active one. */
  startActiveSpan(name: string, options: TracerSpanOptions, work: (span: TracerSpan) => unknown): unknown;
}
