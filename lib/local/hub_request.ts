/** A request as the hub answers it: one of the Fetch standard, or one that has come by a socket. */
export type HubRequest = Pick<Request, "method" | "url" | "headers" | "signal" | "body">;
