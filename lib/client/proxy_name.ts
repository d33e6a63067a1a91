/** Names a proxy, without the name and the password that it wants. */
export function proxyName(proxy: string | undefined): string {
  return proxy === undefined ? "a proxy" : `the proxy ${new URL(proxy).origin}`;
}

/** Names the proxy of a connection, if there is one, after the place that the connection leads to. */
export function throughProxy(proxy: string | undefined): string {
  return proxy === undefined ? "" : ` through ${proxyName(proxy)}`;
}
