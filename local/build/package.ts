/**
 * `npm run package`: writes dist/package.zip, the deployment package for Flex Consumption, and its files into the folder
 * dist/package, which azd packs itself. It contains the bundle, host.json, a package.json with five members and the notices
 * of the packages in the bundle. It needs no `npm install` and contains no sources, maps, tests or settings. The same
 * sources give the same bytes, so a package can be compared with the commit that it was built from. Beside it,
 * dist/sbom.cdx.json lists every package of the lock file.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { npmSbom } from "./npm-sbom.ts";
import { bundledPackages, thirdPartyNotices } from "./third-party-notices.ts";
import { type ZipEntry, zip } from "./zip.ts";

export interface PackageInput {
  /** Folder with host.json and package.json. */
  readonly root: string;
  /** Folder with the built bundle. In the package its name is always `dist`. */
  readonly distDirectory: string;
}

/** The files of the package, by name. */
export function packageEntries({ root, distDirectory }: PackageInput): readonly ZipEntry[] {
  // Only `*.mjs`: this excludes the metafile and an older package.
  const bundle = globSync("**/*.mjs", { cwd: distDirectory, exclude: [`${STAGING_FOLDER}/**`] });
  if (!bundle.includes("index.mjs")) {
    throw new Error(`${distDirectory} contains no index.mjs: run \`npm run build\` first.`);
  }
  return [
    ...bundle.map((name) => ({
      name: `dist/${name.replaceAll("\\", "/")}`,
      content: readFileSync(join(distDirectory, name)),
    })),
    { name: "THIRD-PARTY-NOTICES.txt", content: Buffer.from(noticesOf(root, distDirectory)) },
    { name: "host.json", content: readFileSync(join(root, "host.json")) },
    {
      name: "package.json",
      content: Buffer.from(deployedPackageJson(readFileSync(join(root, "package.json"), "utf8"))),
    },
  ];
}

/** The members that the worker reads (`main`, `type`) and those that identify the package. No dependencies. */
export function deployedPackageJson(text: string): string {
  const { name, version, type, main } = JSON.parse(text) as Record<string, unknown>;
  return `${JSON.stringify({ name, version, private: true, type, main }, undefined, 2)}\n`;
}

/** Writes the files of the package into `folder`, which then contains nothing else. */
export function stagePackage(entries: readonly ZipEntry[], folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const { name, content } of entries) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

// ---------------------------------------------------------------------------------------------------------------

function noticesOf(root: string, distDirectory: string): string {
  const metafile = JSON.parse(readFileSync(join(distDirectory, "meta.json"), "utf8"));
  return thirdPartyNotices(bundledPackages(root, metafile));
}

/** In the folder of the bundle. */
const STAGING_FOLDER = "package";

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = resolve(import.meta.dirname, "../..");
  const distDirectory = join(root, "dist");
  const entries = packageEntries({ root, distDirectory });
  const packed = zip(entries);
  writeFileSync(join(distDirectory, "package.zip"), packed);
  writeFileSync(join(distDirectory, "sbom.cdx.json"), npmSbom(root));
  stagePackage(entries, join(distDirectory, STAGING_FOLDER));
  console.log(`dist/package.zip ${(packed.length / 1024).toFixed(1)} KB, ${entries.length} files; dist/sbom.cdx.json`);
}
