import { readFile } from "node:fs/promises";

/** Programs of users at the hub's program, each as the tests run it. */
const PROGRAMS = [
  ["Node", "js ignore", "hub_user.mjs"],
  ["Python", "python", "hub_user.py"],
  ["Java", "java", "HubUser.java"],
] as const;

/** The pages on languages, copied from the programs. */
export async function renderProgramUsers(): Promise<string> {
  const pages = PROGRAMS.map(async ([language, fence, file]) => `### ${language}\n\n${await fenced(fence, file)}`);
  return (await Promise.all(pages)).join("\n\n");
}

/** How a script of a CI service runs the hub, copied from the one that the tests run. */
export function renderHubInCi(): Promise<string> {
  return fenced("sh", "hub_in_ci.sh");
}

async function fenced(fence: string, file: string): Promise<string> {
  const text = await readFile(new URL(`../users/${file}`, import.meta.url), "utf8");
  return `\`\`\`${fence}\n${text}\`\`\``;
}
