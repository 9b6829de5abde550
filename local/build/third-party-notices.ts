/**
 * The notices of the packages whose code is in the bundle, with the text of each licence. Which packages these are comes
 * from esbuild's metafile, so tools and unused packages are not among them. The same sources give the same text.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Metafile } from "esbuild";

const NOTICE_FILE = /^(licen[cs]e|notice|copying|third.?party)/i;

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression of its package.json. */
  readonly license: string;
  /** Its licence and notice files. Empty: it has none. */
  readonly texts: readonly string[];
}

/** `root`: the folder to which the paths of the metafile are relative. Sorted by name and version. */
export function bundledPackages(root: string, metafile: Pick<Metafile, "outputs">): readonly BundledPackage[] {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.keys(output.inputs));
  const folders = new Set(inputs.flatMap((path) => packageFolder(path) ?? []));
  return [...folders]
    .map((folder) => readPackage(join(root, folder)))
    .sort((a, b) => compare(`${a.name} ${a.version}`, `${b.name} ${b.version}`))
    .filter((one, index, all) => one.name !== all[index - 1]?.name || one.version !== all[index - 1]?.version);
}

const NO_TEXT = "The package has no licence file. Its package.json names the licence above.";

export function thirdPartyNotices(packages: readonly BundledPackage[]): string {
  const notices = packages.map(({ name, version, license, texts }) =>
    [
      `${name} ${version} (${license})`,
      "",
      ...(texts.length === 0 ? [NO_TEXT] : texts.map((text) => text.trim())),
    ].join("\n"),
  );
  const rule = `\n\n${"-".repeat(80)}\n\n`;
  return `This package contains the code of:\n\n${notices.join(rule)}\n`;
}

// ---------------------------------------------------------------------------------------------------------------

/** `node_modules/a/node_modules/@b/c/x.js` → `node_modules/a/node_modules/@b/c`. */
function packageFolder(path: string): string | undefined {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path.replaceAll("\\", "/"))?.[0];
}

function readPackage(folder: string): BundledPackage {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => NOTICE_FILE.test(file)) : [];
  const texts = files.sort(compare).map((file) => readFileSync(join(folder, file), "utf8"));
  return { name, version, license: typeof license === "string" ? license : "see below", texts };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
