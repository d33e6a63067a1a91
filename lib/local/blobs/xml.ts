const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
/** What XML 1.0 cannot contain, escaped or not. */
const NOT_IN_XML = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** One element: a text is escaped, a list holds elements, and without content the element is empty. */
export function element(name: string, content: string | readonly string[] = "", attributes: string = ""): string {
  const inside = typeof content === "string" ? escapeXml(content) : content.join("");
  return inside === "" ? `<${name}${attributes} />` : `<${name}${attributes}>${inside}</${name}>`;
}

/** A document with the element as its root. */
export function xmlDocument(root: string): string {
  return `<?xml version="1.0" encoding="utf-8"?>${root}`;
}

/** Whether a text can stand in a document. */
export function isXmlText(text: string): boolean {
  return !NOT_IN_XML.test(text);
}

/** Resolves the references to characters in a text. One that XML does not have of itself stays as it is. */
export function unescapeXml(text: string): string {
  return text.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const point = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}
