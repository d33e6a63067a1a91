interface RuntimeGlobals {
  Bun?: unknown;
  Deno?: unknown;
  navigator?: { userAgent?: string };
  process?: { versions?: { node?: string } };
}

/** Names the runtime, if it is one that offers more than the standards of the web, which this module makes use of. */
export function runtimeName(): "Bun" | "Deno" | "Node" | undefined {
  const { Bun, Deno, navigator, process } = globalThis as unknown as RuntimeGlobals;
  if (Deno !== undefined) return "Deno";
  if (Bun !== undefined) return "Bun";
  // Workers imitate Node's `process`, and so do some bundlers. Node has a navigator since version 21.
  const isNode = process?.versions?.node !== undefined && (navigator?.userAgent ?? "Node.js").startsWith("Node.js");
  return isNode ? "Node" : undefined;
}
