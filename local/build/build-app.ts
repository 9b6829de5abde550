/**
 * `npm run build`: the product as one bundle that starts fast. ESM with splitting, so that what an instance does not
 * need is not read; everything inside except `@azure/functions-core`, which exists only inside a Functions host; the
 * metafile beside it, so that a test can tell what the entry chunk holds.
 */
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Metafile } from "esbuild";

export interface BuildOptions {
  entry: string;
  outDirectory: string;
  /** `@azure/functions` as npm gives it; for comparison. */
  publishedFunctions?: boolean;
}

export interface BuildResult {
  metafile: Metafile;
  entryBytes: number;
  /** Loaded at start: the entry and the chunks that it imports statically. */
  startBytes: number;
  totalBytes: number;
  chunks: number;
}

/**
 * CommonJS packages inside the bundle call require for Node's modules and for `@azure/functions-core`. Made on its first
 * call: every chunk carries this line, and few need it.
 */
const requireBanner =
  'import { createRequire as __createRequire } from "node:module"; let __required; ' +
  "const require = (id) => (__required ??= __createRequire(import.meta.url))(id);";

/**
 * `@azure/functions` is compiled from the sources that it ships, byte for byte those of its release (a test compares), for
 * the Node that runs it. What it publishes is compiled for ES2015: private fields are WeakMaps, and V8's young collections
 * keep every value of a WeakMap, so that each request, answer and body would be copied and promoted before it is freed; that and
 * `await` spelt with generators is more than half of what an empty function costs (docs/benchmarks.md).
 */
function functionsFromSource(): Record<string, string> {
  const require = createRequire(import.meta.url);
  return {
    "@azure/functions": join(dirname(require.resolve("@azure/functions/package.json")), "src/index.ts"),
    // Its CommonJS half, as the published package uses; the other one has no named exports.
    "@azure/functions-extensions-base": require.resolve("@azure/functions-extensions-base"),
  };
}

export async function buildApp({ entry, outDirectory, publishedFunctions }: BuildOptions): Promise<BuildResult> {
  rmSync(outDirectory, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { index: entry },
    outdir: outDirectory,
    outExtension: { ".js": ".mjs" },
    chunkNames: "chunks/[name]-[hash]",
    bundle: true,
    format: "esm",
    splitting: true,
    platform: "node",
    target: "node22",
    external: ["@azure/functions-core"],
    alias: publishedFunctions === true ? {} : functionsFromSource(),
    banner: { js: requireBanner },
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  writeFileSync(join(outDirectory, "meta.json"), JSON.stringify(metafile));
  return measure(metafile);
}

// ---------------------------------------------------------------------------------------------------------------

function measure(metafile: Metafile): BuildResult {
  const outputs = Object.entries(metafile.outputs);
  const entry = outputs.find(([path]) => path.endsWith("/index.mjs") && !path.includes("/chunks/"));
  const loaded = new Set<string>();
  const visit = (path: string) => {
    const output = metafile.outputs[path];
    if (output !== undefined && !loaded.has(path)) {
      loaded.add(path);
      for (const { path: imported, kind } of output.imports) {
        if (kind === "import-statement") {
          visit(imported);
        }
      }
    }
  };
  visit(entry?.[0] ?? "");
  const sum = (sizes: number[]) => sizes.reduce((total, bytes) => total + bytes, 0);
  return {
    metafile,
    entryBytes: entry?.[1].bytes ?? 0,
    startBytes: sum([...loaded].map((path) => metafile.outputs[path]?.bytes ?? 0)),
    totalBytes: sum(outputs.map(([, output]) => output.bytes)),
    chunks: outputs.length - 1,
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const root = resolve(import.meta.dirname, "../..");
  const kilobytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KB`;
  const result = await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(root, "dist") });
  console.log(
    `dist/index.mjs ${kilobytes(result.entryBytes)}, read at start ${kilobytes(result.startBytes)}, ` +
      `in all ${kilobytes(result.totalBytes)} in ${result.chunks} chunks`,
  );
}
