/** Writes a line of a journal: JSON and a checksum, so that a line that was cut off or changed is recognized. */
export function checkedLine(line: readonly unknown[]): string {
  const text = JSON.stringify(line);
  return `${text} ${checksum(text)}`;
}

/** Reads such a line. Returns `undefined` if it is not what was written. */
export function readCheckedLine(line: string): readonly unknown[] | undefined {
  const end = line.lastIndexOf(" ");
  const text = line.slice(0, end);
  return end > 0 && line.slice(end + 1) === checksum(text) ? JSON.parse(text) : undefined;
}

/** FNV-1a in 32 bits, over the text's UTF-16. */
function checksum(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
