// The pages' search, in place of the one of `deno doc`: rankSymbols() is put above it, Fuse is for names typed wrongly.
const searchInput = document.querySelector("#searchbar");
const content = document.querySelector("#content");
const results = document.querySelector("#searchResults");
const root = new URL(".", document.currentScript.src);
const symbols = globalThis.DENO_DOC_SEARCH_INDEX.nodes;
const fuse = new globalThis.Fuse(symbols, { keys: ["name"], threshold: 0.4, ignoreLocation: true });
const MOST = 100;
let timer;

function search(typed) {
  const exact = typed === "" ? [] : rankSymbols(symbols, typed);
  const found = exact.length > 0 ? exact : fuse.search(typed).map(({ item }) => item);
  const url = new URL(location.href);
  if (typed === "") url.searchParams.delete("q");
  else url.searchParams.set("q", typed);
  history.replaceState({}, "", url.href);
  content.style.display = typed === "" ? "flex" : "none";
  results.style.display = typed === "" ? "none" : "block";
  results.replaceChildren(...found.slice(0, MOST).map(resultOf));
  if (found.length === 0) results.textContent = "No result";
}

function resultOf({ name, kind, file, doc, url }) {
  const link = element(
    "a",
    "flex rounded-lg gap-2.5 items-center py-2 px-3 hover:bg-stone-100 dark:hover:bg-stone-800",
  );
  link.href = new URL(url, root).href;
  const icons = element("div", "docNodeKindIcon");
  for (const { kind: kindName, char, title } of kind) {
    const icon = element("div", `text-${kindName} bg-${kindName}/15 dark:text-${kindName}Dark`, char);
    icon.title = title;
    icons.append(icon);
  }
  const shown = name.replace(".prototype", "") + (file === "." ? "" : ` (/${file})`);
  const about = element("span", "text-sm text-stone-500", doc.split(/[.:](?:\s|[A-Z]|$)/)[0]);
  link.append(icons, element("span", "text-sm leading-none", shown), about);
  return link;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

searchInput.removeAttribute("style");
searchInput.placeholder = "Click or press 'S' to search...";
searchInput.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => search(searchInput.value.trim()), 100);
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "s" || event.target === searchInput || event.ctrlKey || event.metaKey) return;
  searchInput.focus();
  event.preventDefault();
});
const asked = new URL(location.href).searchParams.get("q");
if (asked) {
  searchInput.value = asked;
  search(asked);
}
