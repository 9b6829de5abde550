/**
 * `npm run build`: bundles the product. The bundle is ESM with code splitting, so that an instance reads only the chunks
 * that it needs. It contains all dependencies except `@azure/functions-core`, which exists only inside a Functions host.
 * The build also writes esbuild's metafile, from which a test reads the content of the entry chunk.
 */
import { rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Metafile } from "esbuild";
import { serviceVersion } from "./service-version.ts";

export interface BuildOptions {
  entry: string;
  outDirectory: string;
  /** Bundles the published JavaScript of `@azure/functions`, for comparison. */
  publishedFunctions?: boolean;
}

export interface BuildResult {
  metafile: Metafile;
  entryBytes: number;
  /** The bytes loaded at start: the entry and the chunks that it imports statically. */
  startBytes: number;
  totalBytes: number;
  chunks: number;
}

/**
 * CommonJS packages inside the bundle require Node's modules and `@azure/functions-core`. Every chunk contains this line
 * but few chunks need it, so it creates `require` on the first call.
 */
const requireBanner =
  'import { createRequire as __createRequire } from "node:module"; let __required; ' +
  "const require = (id) => (__required ??= __createRequire(import.meta.url))(id);";

/**
 * The build compiles `@azure/functions` from the sources in its package, for the Node version that runs them. A test proves
 * that these are the sources of the release. The published JavaScript is compiled for ES2015: its private fields are
 * WeakMaps, and V8's young-generation collections keep every value of a WeakMap. V8 would therefore copy and promote each
 * request, response and body before it frees them. This and the generators in place of `await` make up more than half of
 * the cost of an empty function (docs/benchmarks.md).
 */
function functionsFromSource(): Record<string, string> {
  const require = createRequire(import.meta.url);
  return {
    "@azure/functions": join(dirname(require.resolve("@azure/functions/package.json")), "src/index.ts"),
    // The CommonJS build, which the published package uses too. The ESM build has no named exports.
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
    define: { SERVICE_VERSION: JSON.stringify(serviceVersion()) },
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
    `dist/index.mjs ${kilobytes(result.entryBytes)}, loaded at start ${kilobytes(result.startBytes)}, ` +
      `total ${kilobytes(result.totalBytes)} in ${result.chunks} chunks`,
  );
}
