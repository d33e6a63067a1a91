/** The hosts at which clients reach a hub: its own name, and the names and addresses of its ports. Tokens name one. */
export class HubHosts {
  /** The hub's own name. */
  readonly hostName: string;
  readonly #hosts: Set<string> = new Set();

  constructor(hostName: string) {
    this.hostName = hostName;
    this.add(hostName);
  }

  /** The name of the hub without its domain, in lower case, which is that of its event hub as well. */
  get hubName(): string {
    return this.hostName.split(".", 1)[0]!.toLowerCase();
  }

  /** Adds a name, an IPv4 address, or an IPv6 address in brackets. */
  add(host: string): void {
    this.#hosts.add(normalize(host));
  }

  /** Whether a host is one of the hub's. Neither its case nor its port counts. */
  has(host: string): boolean {
    return this.#hosts.has(normalize(host));
  }
}

function normalize(host: string): string {
  return host.toLowerCase().replace(/:\d+$/, "");
}
