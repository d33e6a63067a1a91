import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { GENERATED_TABLES } from "../support/generated_tables.ts";
import { withSection } from "../support/markdown.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGES = [
  "README.md",
  "CHANGELOG.md",
  "NOTICE.md",
  "lib/README.md",
  "lib/recipes.md",
  "lib/transport/README.md",
  "lib/messages/README.md",
  "lib/local/README.md",
  "lib/fleet/README.md",
];
const FENCED_REGEXP = /^```[\s\S]*?^```/gm;

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

describe("generated tables", () => {
  for (const { file, name, render } of GENERATED_TABLES) {
    test(`${file} says of ${name} what the code does`, async () => {
      const text = read(file);
      assert.equal(text, withSection(text, name, await render()), "run: deno task tables");
    });
  }
});

describe("the pages that packages carry", () => {
  for (const page of PAGES) {
    test(`${page} links what is there`, () => {
      for (const link of linksOf(read(page))) {
        const [path = "", anchor] = link.split("#");
        const target = new URL(path, new URL(page, ROOT));
        const file = path === "" ? page : target.pathname.slice(ROOT.pathname.length);
        assert.ok(existsSync(target), `${page} links ${link}, and there is no ${file}`);
        assert.ok(PAGES.includes(file) || file === "LICENSE", `${page} links ${link}, which no package carries`);
        if (anchor !== undefined) {
          assert.ok(anchorsOf(read(file)).includes(anchor), `${page} links ${link}, and ${file} has no such heading`);
        }
      }
    });
  }

  test("the README's table of client options has every option", () => {
    const source = read("lib/client/client_options.ts");
    const [, fields = ""] = /export interface ClientOptions \{\n([\s\S]*?)\n\}/.exec(source) ?? [];
    const names = Array.from(fields.matchAll(/^ {2}(?:readonly )?(\w+)\?:/gm), ([, name]) => name!);
    assert.ok(names.length > 10, "the options were found");
    const [, section = ""] = read("README.md").split("\n## Client options\n");
    for (const name of names) assert.ok(section.includes(`| \`${name}\``), `README.md does not explain ${name}`);
  });
});

/** Where a page's relative links lead. */
function linksOf(text: string): string[] {
  const prose = text.replaceAll(FENCED_REGEXP, "");
  return Array.from(prose.matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link!).filter((link) => !/^https?:/.test(link));
}

/** The names that headings are linked by. */
function anchorsOf(text: string): string[] {
  const headings = Array.from(text.replaceAll(FENCED_REGEXP, "").matchAll(/^#+ (.+)$/gm), ([, heading]) => heading!);
  return headings.map((heading) => heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-"));
}
