/** Reads the repository's Markdown files. Supports only the syntax that these files use. */
import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");

export interface MarkdownFile {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

export const markdownFiles: readonly MarkdownFile[] = globSync("**/*.md", {
  cwd: root,
  // The notes become a part of docs/benchmarks.md, and their links are relative to that file.
  exclude: ["**/node_modules", ".git", ".local", "dist", "coverage", "bench/report"],
})
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

export function markdownFile(path: string): MarkdownFile {
  const found = markdownFiles.find((file) => file.path === path);
  if (found === undefined) throw new Error(`The file ${path} was not found.`);
  return found;
}

/** Text outside fenced code. */
export function prose(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```/gm, "");
}

/** Fenced code of one language. */
export function fences(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^ *\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "gm"))].map(
    ([, code]) => code ?? "",
  );
}

/** `code spans` outside fences. */
export function codeSpans(text: string): string[] {
  return [...prose(text).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? "");
}

/** `<a id="…">`, and the anchors that GitHub makes of headings: lower case, hyphens for spaces, no other punctuation. */
export function anchors(text: string): string[] {
  const written = [...prose(text).matchAll(/<a id="([^"]+)"><\/a>/g)].map(([, id = ""]) => id);
  return [...written, ...headingAnchors(text)];
}

function headingAnchors(text: string): string[] {
  const seen = new Map<string, number>();
  return [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = ""]) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** The section under a heading, up to the next heading of the same or a higher level. */
export function section(text: string, heading: string): string {
  const start = new RegExp(`^(#{1,6}) ${heading.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`, "m").exec(text);
  if (start === null) throw new Error(`The heading "${heading}" was not found.`);
  const rest = text.slice(start.index + start[0].length);
  const end = new RegExp(`^#{1,${start[1]?.length ?? 1}} `, "m").exec(rest);
  return rest.slice(0, end?.index);
}

/** Rows of every table without the head, cells trimmed. A `\|` stays inside its cell. */
export function tableRows(text: string): string[][] {
  const lines = prose(text).split("\n");
  return lines
    .filter((line, index) => line.startsWith("|") && !isHead(lines, index) && !isDashes(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim().replaceAll("\\|", "|")),
    );
}

const isDashes = (line: string | undefined) => line !== undefined && /^\|[\s:|-]+\|$/.test(line);
const isHead = (lines: readonly string[], index: number) => isDashes(lines[index + 1]);
