import type { LocalHub } from "../local_hub.ts";
import type { ListenOptions, LocalHubAddresses } from "../sockets/listeners.ts";
import { PORT_OPTIONS, type ProgramOptions } from "./options.ts";

/** The ports that clients take for granted. */
const USUAL = { https: 443, amqps: 5671, mqtts: 8883 };
/** Low ports are not for everybody, and this one is rarely taken. */
const OTHER_HTTPS = 8443;

/** A port that cannot be had. */
export class PortError extends Error {}

/**
 * Opens the ports of the hub: those that were named, and the usual ones with TLS.
 *
 * @throws {PortError} That says which port cannot be had, why, and what to do.
 */
export async function openPorts(
  hub: LocalHub,
  { host, ports }: Pick<ProgramOptions, "host" | "ports">,
  tls: ListenOptions["tls"],
): Promise<LocalHubAddresses> {
  const addresses: LocalHubAddresses = {};
  for (const option of PORT_OPTIONS) {
    const usual = option in USUAL ? USUAL[option as keyof typeof USUAL] : undefined;
    const port = ports[option] ?? usual;
    if (port === undefined) continue;
    const open = (port: number): Promise<LocalHubAddresses> => hub.listen({ hostname: host, [option]: port, tls });
    const isFree = option === "https" && ports.https === undefined;
    const opened = open(port).catch((error) => {
      if (isFree && isTaken(error)) return open(OTHER_HTTPS);
      throw error;
    });
    Object.assign(
      addresses,
      await opened.catch((error) => {
        throw explained(error, option, isFree ? `${port} and ${OTHER_HTTPS}` : String(port));
      }),
    );
  }
  return addresses;
}

function isTaken(error: unknown): boolean {
  return ["EACCES", "EADDRINUSE", "EPERM"].includes(codeOf(error)) || /PermissionDenied|AddrInUse/.test(String(error));
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code);
}

function explained(error: unknown, option: string, ports: string): unknown {
  if (!isTaken(error)) return error;
  const why = codeOf(error) === "EADDRINUSE" ? "another program has it" : "this user may not have it";
  return new PortError(`The port ${ports} for ${option} cannot be had: ${why}. Choose one with --${option} PORT`, {
    cause: error,
  });
}
