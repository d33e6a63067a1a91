/** An answer of the hub, before it is a `Response` or goes to a socket. */
export interface HubAnswer {
  readonly status: number;
  /** With names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>> | null;
}

/** Makes an answer a response of the Fetch standard. */
export function responseOf({ status, headers, body }: HubAnswer): Response {
  return new Response(body, { status, headers });
}

/** Returns the body of an answer as one piece. */
export async function wholeBody({ body }: HubAnswer): Promise<string | Uint8Array<ArrayBuffer> | null> {
  return body instanceof ReadableStream ? new Uint8Array(await new Response(body).arrayBuffer()) : body;
}
