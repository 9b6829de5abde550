/**
 * Builds the package of the command line: clients/cli/dist with gte.mjs, which contains all its dependencies, the license
 * and the notices of the packages inside the bundle. Node runs no TypeScript below node_modules, so the package needs the
 * bundle. In the checkout, clients/cli/gte.mjs runs the sources.
 */
import { chmodSync, copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Metafile } from "esbuild";

/** CommonJS packages inside the bundle require Node's modules. */
const requireBanner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const repository = resolve(import.meta.dirname, "../..");

/** Returns the size of the bundle. */
export async function buildCli(outDirectory: string): Promise<number> {
  rmSync(outDirectory, { recursive: true, force: true });
  const outfile = join(outDirectory, "gte.mjs");
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: ["clients/cli/main.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22",
    // jsonc-parser: its CommonJS files load each other by a function that esbuild does not follow.
    mainFields: ["module", "main"],
    banner: { js: requireBanner },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  chmodSync(outfile, 0o755);
  copyFileSync(join(repository, "LICENSE"), join(outDirectory, "LICENSE"));
  writeFileSync(join(outDirectory, "THIRD-PARTY-NOTICES.txt"), notices(bundledPackages(metafile)));
  return Object.values(metafile.outputs).reduce((total, { bytes }) => total + bytes, 0);
}

/** The folders of the packages whose code is in the bundle. */
export function bundledPackages({ outputs }: Metafile): readonly string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs.map(([path, { bytesInOutput }]) =>
    bytesInOutput === 0 ? undefined : /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0],
  );
  return [...new Set(folders)].flatMap((folder) => folder ?? []).sort();
}

// ---------------------------------------------------------------------------------------------------------------

function notices(folders: readonly string[]): string {
  const introduction = "gte.mjs contains code of the following packages, each under its own license.\n";
  return [introduction, ...folders.map(noticeOf)].join(`\n${"-".repeat(80)}\n\n`);
}

function noticeOf(folder: string): string {
  const path = join(repository, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as PackageJson;
  const file = readdirSync(path).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
  if (file === undefined) throw new Error(`${name} has no license file, so the command line may not contain it.`);
  const notice = ["NOTICE", "NOTICE.txt", "NOTICE.md"].find((one) => existsSync(join(path, one)));
  const texts = [file, notice].flatMap((one) =>
    one === undefined ? [] : readFileSync(join(path, one), "utf8").trim(),
  );
  return `${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const bytes = await buildCli(join(repository, "clients/cli/dist"));
  console.log(`clients/cli/dist/gte.mjs ${(bytes / 1024).toFixed(1)} KB`);
}
