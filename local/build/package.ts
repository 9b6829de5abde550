/**
 * `npm run package`: dist/package.zip, the file that Flex Consumption takes. In it are the bundle, host.json and a
 * package.json of four members; no dependency has to be installed, no source, map, test or setting goes along. The same
 * sources give the same bytes, so that a package can be compared with the commit that it is said to come from.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ZipEntry, zip } from "./zip.ts";

export interface PackageInput {
  /** Folder with host.json and package.json. */
  readonly root: string;
  /** Folder with the built bundle; in the package it is always `dist`. */
  readonly distDirectory: string;
}

/** The files of the package, by name. */
export function packageEntries({ root, distDirectory }: PackageInput): readonly ZipEntry[] {
  // `*.mjs` only: the metafile, and a package made before, stay out. So does the command line, which is another program.
  const bundle = globSync("**/*.mjs", { cwd: distDirectory }).filter((name) => name !== "gte.mjs");
  if (!bundle.includes("index.mjs")) {
    throw new Error(`There is no index.mjs in ${distDirectory}: run \`npm run build\` first.`);
  }
  return [
    ...bundle.map((name) => ({
      name: `dist/${name.replaceAll("\\", "/")}`,
      content: readFileSync(join(distDirectory, name)),
    })),
    { name: "host.json", content: readFileSync(join(root, "host.json")) },
    {
      name: "package.json",
      content: Buffer.from(deployedPackageJson(readFileSync(join(root, "package.json"), "utf8"))),
    },
  ];
}

/** What the worker reads (`main`, `type`), and what a person would ask (`name`, `version`). Nothing to install. */
export function deployedPackageJson(text: string): string {
  const { name, version, type, main } = JSON.parse(text) as Record<string, unknown>;
  return `${JSON.stringify({ name, version, private: true, type, main }, undefined, 2)}\n`;
}

// ---------------------------------------------------------------------------------------------------------------

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = resolve(import.meta.dirname, "../..");
  const distDirectory = join(root, "dist");
  const entries = packageEntries({ root, distDirectory });
  const packed = zip(entries);
  writeFileSync(join(distDirectory, "package.zip"), packed);
  console.log(`dist/package.zip ${(packed.length / 1024).toFixed(1)} KB, ${entries.length} files`);
}
