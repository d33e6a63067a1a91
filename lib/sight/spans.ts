import type {
  ClientCallAnsweredEvent,
  ClientCallBegunEvent,
  ClientCallEndedEvent,
  ClientCallSentEvent,
  ClientCallWaitingEvent,
  ClientEvent,
  ClientEventFailure,
} from "./client_event.ts";
import { requestsAreTraced } from "./traced_requests.ts";
import type { Tracer, TracerAttributes, TracerSpan, TracerSpanOptions } from "./tracer.ts";

// The kinds and the status of OpenTelemetry that are used here.
const CLIENT = 2;
const PRODUCER = 3;
const ERROR = 2;

/** What every span says. */
const COMMON: TracerAttributes = { "azure.resource_provider.namespace": "Microsoft.Devices" };

/** How spans are made. */
export interface SpanSettings {
  /** Whether the hub is told which span a request or message belongs to. */
  readonly propagates: boolean;
  /** Whether the runtime's own `fetch` sends the requests. It may make spans of them by itself. */
  readonly usesOwnFetch: boolean;
}

interface CallSpans {
  readonly call: TracerSpan;
  attempt?: TracerSpan | undefined;
  /** Where its message goes, if it sends one. */
  readonly destination?: string | undefined;
}

/**
 * Makes spans from a client's events: one for each call, and one for each attempt; or one for each message, token and
 * connection. Names and attributes are those of the conventions of OpenTelemetry and Azure. What the tracer throws reaches
 * whoever tells.
 */
export class Spans {
  readonly #tracer: Tracer;
  readonly #propagates: boolean;
  readonly #makesAttempts: boolean;
  readonly #calls = new Map<number, CallSpans>();
  readonly #connections = new Map<number, TracerSpan>();
  /** Which server each address was found at last. */
  readonly #servers = new Map<string, TracerAttributes>();

  constructor(tracer: Tracer, { propagates, usesOwnFetch }: SpanSettings) {
    this.#tracer = tracer;
    this.#propagates = propagates;
    this.#makesAttempts = !(usesOwnFetch && requestsAreTraced());
  }

  /** Does the work of a call while its span is the active one, so that other spans become children of it. */
  run<T>(
    { callId, noun, operation, destination }: Pick<ClientCallBegunEvent, "callId" | "noun" | "operation"> & {
      readonly destination: string | undefined;
    },
    work: () => T,
  ): T {
    let result: { readonly of: T } | undefined;
    const [name, options] = destination === undefined
      ? [`${noun}.${operation}`, { attributes: COMMON }]
      : this.#messageSpan("send", destination);
    try {
      this.#tracer.startActiveSpan(name, options, (span) => {
        this.#calls.set(callId, { call: span, destination });
        result ??= { of: work() };
      });
    } catch {
      // The tracer's failure is its own. The call goes on.
    }
    return result === undefined ? work() : result.of;
  }

  /** Begins, fills or ends the span that an event is about. */
  follow(event: ClientEvent): void {
    const spans = "callId" in event ? this.#calls.get(event.callId) : undefined;
    switch (event.kind) {
      case "callWaiting":
        return spans && waits(spans, event);
      case "callSent":
        return spans && this.#sent(spans, event);
      case "callAnswered":
        return spans && answered(spans, event);
      case "callEnded":
        this.#calls.delete(event.callId);
        return spans && ended(spans, event);
      case "tokenMade":
        return end(this.#past("get token", event.durationInMs));
      case "tokenFailed":
        return end(this.#past("get token", event.durationInMs), {
          errorCode: "CredentialError",
          message: event.message,
        });
      case "connectionOpening": {
        const { connectionId, endpoint } = event;
        // The first is opened for the call that needs it, later ones for all calls that wait.
        const options = { attributes: { ...COMMON, ...serverOf(endpoint) }, root: connectionId > 1 };
        return void this.#connections.set(connectionId, this.#tracer.startSpan("open amqp", options));
      }
      case "connectionOpened":
      case "connectionClosed":
        return this.#connected(event.connectionId);
      case "connectionLost":
        return this.#connected(event.connectionId, event);
      case "linkAttached":
        return void this.#servers.set(event.address, serverOf(event.endpoint));
      case "messageReceived": {
        const [name, options] = this.#messageSpan("receive", event.address);
        return end(this.#past(name, event.waitedInMs ?? 0, options));
      }
    }
  }

  /** Returns what tells the hub, and whoever is behind it, to which span a call belongs; as headers or properties. */
  contextOf(callId: number): Record<string, string> | undefined {
    const spans = this.#calls.get(callId);
    if (!this.#propagates || spans === undefined) return undefined;
    const { traceId, spanId, traceFlags, traceState } = (spans.attempt ?? spans.call).spanContext();
    // A tracer that does nothing gives spans that are none.
    if (/^0*$/.test(traceId)) return undefined;
    const traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`;
    const tracestate = traceState?.serialize();
    return tracestate ? { traceparent, tracestate } : { traceparent };
  }

  #sent(spans: CallSpans, { attempt, method, url, route, messageId }: ClientCallSentEvent): void {
    if (messageId !== undefined) {
      // The first message is on its way before there is a connection.
      const attributes = { "messaging.message.id": messageId, ...this.#servers.get(spans.destination!) };
      for (const [name, value] of Object.entries(attributes)) spans.call.setAttribute(name, value);
    }
    if (url === undefined || !this.#makesAttempts) return;
    spans.attempt = this.#tracer.startSpan(`${method} ${route}`, {
      kind: CLIENT,
      attributes: {
        ...COMMON,
        ...serverOf(url),
        "http.request.method": method!,
        "url.full": url,
        "url.template": route!,
        ...(attempt > 1 && { "http.request.resend_count": attempt - 1 }),
      },
    });
  }

  /** Ends the span of a connection's opening, unless that has been over for long. */
  #connected(connectionId: number, failure?: ClientEventFailure): void {
    end(this.#connections.get(connectionId), failure);
    this.#connections.delete(connectionId);
  }

  /** Returns the name of a message's span, and how it begins. */
  #messageSpan(operation: "send" | "receive", address: string): [name: string, options: TracerSpanOptions] {
    const attributes = {
      ...COMMON,
      ...this.#servers.get(address),
      // The hub's own addresses begin with a slash, those at its event hub with that one's name.
      "messaging.system": address.startsWith("/") ? "iothub" : "eventhubs",
      "messaging.operation.name": operation,
      "messaging.operation.type": operation,
      "messaging.destination.name": address,
    };
    const kind = operation === "send" && this.#propagates ? PRODUCER : CLIENT;
    return [`${operation} ${address}`, { kind, attributes }];
  }

  /** Begins the span of something that is over. */
  #past(name: string, durationInMs: number, options: TracerSpanOptions = { attributes: COMMON }): TracerSpan {
    return this.#tracer.startSpan(name, { ...options, startTime: new Date(Date.now() - durationInMs) });
  }
}

function waits(spans: CallSpans, event: ClientCallWaitingEvent): void {
  endAttempt(spans, event);
  const { reason, waitInMs, errorCode } = event;
  spans.call.addEvent(`wait (${reason})`, {
    ...(waitInMs !== undefined && { wait_in_ms: waitInMs }),
    ...(errorCode !== undefined && { "error.type": errorCode }),
  });
}

function answered(spans: CallSpans, { status, requestId }: ClientCallAnsweredEvent): void {
  const { attempt } = spans;
  if (attempt === undefined || status === undefined) return;
  attempt.setAttribute("http.response.status_code", status);
  if (requestId !== undefined) attempt.setAttribute("azure.service.request.id", requestId);
  endAttempt(spans, status >= 400 ? { errorCode: `${status}` } : {});
}

function ended(spans: CallSpans, event: ClientCallEndedEvent): void {
  endAttempt(spans, event);
  end(spans.call, event);
}

function endAttempt(spans: CallSpans, failure: Partial<ClientEventFailure>): void {
  end(spans.attempt, failure);
  spans.attempt = undefined;
}

/** Ends a span; with the failure, if there is one. */
function end(span: TracerSpan | undefined, { errorCode, message }: Partial<ClientEventFailure> = {}): void {
  if (errorCode !== undefined) {
    span?.setAttribute("error.type", errorCode);
    span?.setStatus({ code: ERROR, ...(message !== undefined && { message }) });
  }
  span?.end();
}

/** Says where a URL leads. Not every runtime separates host and port of a scheme that is not the web's. */
function serverOf(url: string): TracerAttributes {
  const { hostname, port, protocol } = new URL(url.replace(/^(amqp|ws)/, "http"));
  return { "server.address": hostname, "server.port": Number(port) || (protocol === "http:" ? 80 : 443) };
}
