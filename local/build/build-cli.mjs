/**
 * Bundles the command line into one file, dist/gte.mjs, because Node runs no TypeScript below node_modules. The file needs
 * no other file of the package. `npm run build` runs this script, and so does npm as `prepare`: after `npm ci`, before it
 * packs the package, and when it installs the package from git. It is plain JavaScript, because npm may run it with an old
 * Node.
 */
import { chmodSync } from "node:fs";
import { join, resolve } from "node:path";

/** CommonJS packages inside the bundle require Node's modules. */
const requireBanner =
  'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);';

const root = resolve(import.meta.dirname, "../..");
const outfile = join(root, "dist", "gte.mjs");

const esbuild = await import("esbuild").catch(() => undefined);
if (esbuild !== undefined) {
  const { metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ["clients/cli/main.ts"],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node22",
    banner: { js: requireBanner },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  chmodSync(outfile, 0o755);
  const [bytes = 0] = Object.values(metafile.outputs).map((output) => output.bytes);
  console.log(`dist/gte.mjs ${(bytes / 1024).toFixed(1)} KB`);
} else if (["ci", "install"].includes(process.env.npm_command ?? "")) {
  console.log("The command line was not built: it needs esbuild, a development dependency.");
} else {
  throw new Error("esbuild is not installed: run `npm ci` first.");
}
