/** What the source and the bundle must never hold, whoever writes it (SEC-11, SEC-16). */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";

const root = resolve(import.meta.dirname, "../..");

interface Source {
  readonly path: string;
  /** Without comments, which may name what is forbidden. */
  readonly code: string;
}

function sources(): Source[] {
  return ["functions", "shared"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => ({ path: relative(root, path), code: withoutComments(readFileSync(path, "utf8")) })),
  );
}

/** Good enough here: no string of ours holds a comment's beginning after a space. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

function holding(forbidden: RegExp, except: readonly string[] = []): string[] {
  return sources()
    .filter(({ path, code }) => forbidden.test(code) && !except.includes(path))
    .map(({ path }) => path);
}

describe("the source", () => {
  test("there is some, or the rest would prove nothing", () => {
    expect(sources().length).toBeGreaterThan(80);
    expect(sources().some(({ path }) => path === join("shared", "exchange", "exchange-token.ts"))).toBe(true);
  });

  test.each<[string, RegExp, string[]]>([
    ["no switch for certificates", /rejectUnauthorized|checkServerIdentity/i, []],
    ["http is for the local table service only", /allowInsecure/i, [join("shared", "grants", "table-client.ts")]],
    ["no certificate authority of its own", /\bca\s*:|setDefaultCACertificates|secureContext|NODE_EXTRA_CA_CERTS/, []],
    [
      "process.env is read in one file",
      /process\s*\.\s*env|process\s*\[/,
      [join("shared", "config", "environment.ts")],
    ],
    ["SEC-11: Easy Auth's headers are not read", /["'`]x-ms-(client-principal|token-aad)/i, []],
    ["SEC-11: what proxies say is not read", /["'`](x-forwarded|x-original|forwarded)/i, []],
    ["RF-64: Host decides nothing", /\.get\(\s*["'`]host["'`]\s*\)/i, []],
    ["SEC-13: no CORS answer", /access-control-/i, []],
    ["no global fetch: there is one way out", /globalThis\.fetch|(?<![.\w])fetch\(\s*[^)\s]/, []],
    ["nothing is evaluated", /(?<![.\w])eval\s*\(|new\s+Function\s*\(/, []],
    ["nothing is printed past the audit trail", /\bconsole\s*\./, []],
  ])("%s", (_name, forbidden, except) => {
    expect(holding(forbidden, except)).toEqual([]);
  });

  test("where NODE_TLS_REJECT_UNAUTHORIZED is named, it stops the start", () => {
    expect(holding(/NODE_TLS_REJECT_UNAUTHORIZED/)).toEqual([join("shared", "config", "environment.ts")]);
  });
});

describe("the bundle", () => {
  let folder: string;
  let metafile: Metafile;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "gte-structure-"));
    const built = await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
    metafile = built.metafile;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("a cold start reads no library that only a request needs", () => {
    const read = packagesAtStart(metafile);
    expect(read.length).toBeGreaterThan(0);
    const lazy =
      /^(@azure\/(msal-|identity|keyvault-|data-tables|core-|monitor)|@redis\/|redis$|ioredis|@opentelemetry\/|applicationinsights)/;
    expect(read.filter((name) => lazy.test(name))).toEqual([]);
  });

  test("they are in the bundle all the same, in chunks of their own", () => {
    const all = packagesIn(Object.keys(metafile.inputs));
    expect(all).toEqual(expect.arrayContaining(["@azure/msal-node", "@azure/keyvault-secrets", "@azure/data-tables"]));
  });

  test("nothing of the local tenant or the tests is in it", () => {
    expect(Object.keys(metafile.inputs).filter((path) => /(^|\/)(local|test|bench|clients)\//.test(own(path)))).toEqual(
      [],
    );
  });

  test("SEC-16: no certificate goes unchecked, in the libraries either", () => {
    for (const name of readdirSync(join(folder, "dist"), { recursive: true, encoding: "utf8" })) {
      if (name.endsWith(".mjs")) {
        const text = readFileSync(join(folder, "dist", name), "utf8");
        expect({ name, unchecked: /rejectUnauthorized["']?\s*[:=]\s*(!1|false|0\b)/.test(text) }).toEqual({
          name,
          unchecked: false,
        });
      }
    }
  });
});

/** Packages whose code is in the entry or in a chunk that it imports statically. */
function packagesAtStart({ outputs }: Metafile): string[] {
  const entries = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint?.endsWith("functions/index.ts"));
  const read = new Set<string>();
  const visit = (path: string) => {
    if (!read.has(path)) {
      read.add(path);
      for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
        if (kind === "import-statement" && external !== true) {
          visit(next);
        }
      }
    }
  };
  entries.forEach(visit);
  return packagesIn([...read].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {})));
}

function packagesIn(inputs: readonly string[]): string[] {
  const names = inputs.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? "");
  return [...new Set(names.filter((name) => name !== ""))];
}

/** A path of ours; nothing for one of a library. */
function own(path: string): string {
  return path.includes("node_modules/") ? "" : path;
}
