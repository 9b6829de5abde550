/**
 * The mutants of the folders that guard a token. Stryker's instrumenter puts all mutants of a file into one source, each
 * behind a switch, so that one transformed module serves every run.
 *
 * Source: https://stryker-mutator.io/docs/mutation-testing-elements/supported-mutators/
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Instrumenter } from "@stryker-mutator/instrumenter";

export const ROOT = join(import.meta.dirname, "..");

/** Folders of `shared/`, with every folder below them. */
export const FOLDERS = [
  "policy",
  "caller",
  "client-authentication",
  "exchange",
  "grants",
  "offline-access",
  "cache",
  "sign-in",
  "relay",
] as const;

export interface Mutant {
  readonly id: string;
  readonly folder: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** First line, from 1. */
  readonly line: number;
  /**
   * Names the mutant in `equivalents.json`. It has no line number, so it survives changes elsewhere in the file:
   * mutator, the original line, and the replacement.
   */
  readonly key: string;
}

export interface Instrumented {
  readonly mutants: readonly Mutant[];
  /** The source with all mutants, by absolute path. */
  readonly sources: ReadonlyMap<string, string>;
}

export async function instrument(): Promise<Instrumented> {
  const paths = FOLDERS.flatMap((folder) => globSync(`shared/${folder}/**/*.ts`, { cwd: ROOT }).sort());
  const files = paths.map((path) => ({
    name: join(ROOT, path),
    mutate: true,
    content: readFileSync(join(ROOT, path), "utf8"),
  }));
  const contents = new Map(files.map(({ name, content }) => [name, content]));
  const done = await new Instrumenter(SILENT).instrument(files, { plugins: [], excludedMutations: [], ignorers: [] });
  const mutants = done.mutants.map(({ id, fileName, location, mutatorName, replacement }): Mutant => {
    const file = fileName.slice(ROOT.length + 1);
    const [, folder = ""] = file.split("/");
    const content = contents.get(fileName) ?? "";
    const original = textOf(content, location);
    const line = content.split("\n")[location.start.line]?.trim() ?? "";
    return {
      id,
      folder,
      file,
      line: location.start.line + 1,
      key: keyOf(mutatorName, line, original, replacement ?? ""),
    };
  });
  return { mutants, sources: new Map(done.files.map(({ name, content }) => [name, content])) };
}

// ---------------------------------------------------------------------------------------------------------------

type Location = Awaited<ReturnType<Instrumenter["instrument"]>>["mutants"][number]["location"];

/** Positions count from 0. */
function textOf(content: string, { start, end }: Location): string {
  const lines = content.split("\n").slice(start.line, end.line + 1);
  const last = lines.length - 1;
  return lines
    .map((line, at) => line.slice(at === 0 ? start.column : 0, at === last ? end.column : undefined))
    .join("\n");
}

function keyOf(mutator: string, line: string, original: string, replacement: string): string {
  return `${mutator} | ${line} | ${short(original)} → ${short(replacement)}`;
}

function short(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ");
  return flat.length > 80 ? `${flat.slice(0, 77)}…` : flat;
}

const nothing = () => undefined;
const never = () => false;
const SILENT = {
  isTraceEnabled: never,
  isDebugEnabled: never,
  isInfoEnabled: never,
  isWarnEnabled: never,
  isErrorEnabled: never,
  isFatalEnabled: never,
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};
