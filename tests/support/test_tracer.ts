import { AsyncLocalStorage } from "node:async_hooks";
import type {
  Attributes,
  AttributeValue,
  Context,
  Span,
  SpanContext,
  SpanOptions,
  SpanStatus,
  Tracer,
} from "@opentelemetry/api";

/** A span that tests can look into. */
export class TestSpan implements Span {
  readonly name: string;
  readonly options: SpanOptions;
  readonly parent: TestSpan | undefined;
  readonly attributes: Attributes;
  readonly events: { name: string; attributes: Attributes }[] = [];
  status: SpanStatus = { code: 0 };
  ends = 0;
  readonly #context: SpanContext;

  constructor(number: number, name: string, options: SpanOptions, parent: TestSpan | undefined) {
    this.name = name;
    this.options = options;
    this.parent = parent;
    this.attributes = { ...options.attributes };
    this.#context = {
      traceId: parent?.spanContext().traceId ?? number.toString(16).padStart(32, "0"),
      spanId: number.toString(16).padStart(16, "0"),
      traceFlags: 1,
    };
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  setAttribute(name: string, value: AttributeValue): this {
    this.attributes[name] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    Object.assign(this.attributes, attributes);
    return this;
  }

  addEvent(name: string, attributes?: unknown): this {
    this.events.push({ name, attributes: { ...(attributes as Attributes) } });
    return this;
  }

  setStatus(status: SpanStatus): this {
    this.status = status;
    return this;
  }

  end(): void {
    this.ends++;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  isRecording(): boolean {
    return true;
  }

  recordException(): void {}
}

/** A tracer as programs have it, which keeps its spans. */
export class TestTracer implements Tracer {
  readonly spans: TestSpan[] = [];
  readonly #active = new AsyncLocalStorage<TestSpan>();

  startSpan(name: string, options: SpanOptions = {}): TestSpan {
    const span = new TestSpan(
      this.spans.length + 1,
      name,
      options,
      options.root ? undefined : this.#active.getStore(),
    );
    this.spans.push(span);
    return span;
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<F> {
    const work = rest.at(-1) as F;
    const [options] = rest as [SpanOptions | Context];
    const span = this.startSpan(name, rest.length > 1 ? options as SpanOptions : {});
    return this.#active.run(span, () => work(span)) as ReturnType<F>;
  }

  /** The spans with a name. */
  named(name: string): TestSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  /** What programs see of the spans: all but who is whose child. */
  get shown(): object[] {
    return this.spans.map(({ name, options, attributes, events, status }) => ({
      name,
      options,
      attributes,
      events,
      status,
    }));
  }

  /** The names of all spans, each with that of its parent. */
  get tree(): [name: string, parent: string | undefined][] {
    return this.spans.map(({ name, parent }) => [name, parent?.name]);
  }
}
