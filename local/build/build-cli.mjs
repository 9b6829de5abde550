/**
 * The command line as one file, dist/gte.mjs: Node takes no TypeScript below node_modules, and whoever has the package
 * needs nothing else of it. Part of `npm run build`, and npm's `prepare`: npm runs it after `npm ci`, before it packs the
 * package, and where it installs it from git. Plain JavaScript, because there an old Node may run it.
 */
import { chmodSync } from "node:fs";
import { join, resolve } from "node:path";

/** CommonJS packages inside the bundle call require for Node's modules. */
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
  console.log("The command line was not built: without development dependencies there is no esbuild.");
} else {
  throw new Error("There is no esbuild: run `npm ci` first.");
}
