/**
 * Reads the path of a resource, such as `/devices/{id}`: of a request, of an AMQP link or of a token. This is the one
 * place where ids are decoded: whoever compares or looks up an id does it with these segments, and decodes nothing more.
 * An id may contain `%`, so that a second look would find another id.
 *
 * @returns The segments, each decoded once; `undefined` for one that is not percent-encoded UTF-8.
 */
export function readResourcePath(path: string): (string | undefined)[] {
  const segments = path.split("/");
  if (segments[0] === "") segments.shift();
  if (segments.at(-1) === "") segments.pop();
  return segments.map(decodeOnce);
}

/** Removes one layer of percent-encoding; `undefined` when the text is not percent-encoded UTF-8. */
export function decodeOnce(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Returns the segments of the path of a device or module, which a token for it covers. */
export function deviceResourcePath(
  { deviceId, moduleId }: { deviceId: string; moduleId?: string | undefined },
): string[] {
  return moduleId === undefined ? ["devices", deviceId] : ["devices", deviceId, "modules", moduleId];
}
