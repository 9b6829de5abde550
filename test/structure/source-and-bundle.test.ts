/** Code that the source and the bundle must not contain (SEC-11, SEC-16). */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Metafile } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";

const root = resolve(import.meta.dirname, "../..");

interface Source {
  readonly path: string;
  /** Without comments, which may name forbidden code. */
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

/** Not a parser: it relies on the fact that no string in the source contains a space and the start of a comment. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "");
}

function filesWith(forbidden: RegExp, except: readonly string[] = []): string[] {
  return sources()
    .filter(({ path, code }) => forbidden.test(code) && !except.includes(path))
    .map(({ path }) => path);
}

describe("the source", () => {
  test("is found by this test", () => {
    expect(sources().length).toBeGreaterThan(80);
    expect(sources().some(({ path }) => path === join("shared", "exchange", "exchange-token.ts"))).toBe(true);
  });

  test.each<[string, RegExp, string[]]>([
    ["an option that turns the verification of certificates off", /rejectUnauthorized|checkServerIdentity/i, []],
    ["http, except for the local table service", /allowInsecure/i, [join("shared", "grants", "table-client.ts")]],
    [
      "a certificate authority besides those of Node (environment.ts refuses the variable)",
      /\bca\s*:|setDefaultCACertificates|secureContext|NODE_EXTRA_CA_CERTS/,
      [join("shared", "config", "environment.ts")],
    ],
    [
      "process.env outside of one file",
      /process\s*\.\s*env|process\s*\[/,
      [join("shared", "config", "environment.ts")],
    ],
    [
      "JSON.parse instead of parseJson, except for what this service wrote or the administrator set",
      /JSON\.parse/,
      [
        join("shared", "core", "json-text.ts"),
        join("shared", "core", "json-object.ts"),
        join("shared", "cache", "redis", "redis-credentials.ts"),
        join("shared", "cache", "redis", "sealed-entry.ts"),
        join("shared", "grants", "grant-row.ts"),
        join("shared", "grants", "sealed-grant.ts"),
        join("shared", "policy", "parse-policy.ts"),
        join("shared", "sealed-state", "state-sealer.ts"),
      ],
    ],
    ["SEC-11: a header of Easy Auth", /["'`]x-ms-(client-principal|token-aad)/i, []],
    ["SEC-11: a header of a proxy", /["'`](x-forwarded|x-original|forwarded)/i, []],
    ["RF-64: the Host header", /\.get\(\s*["'`]host["'`]\s*\)/i, []],
    ["SEC-13: a CORS header", /access-control-/i, []],
    ["the global fetch instead of the outbound client", /globalThis\.fetch|(?<![.\w])fetch\(\s*[^)\s]/, []],
    ["eval or new Function", /(?<![.\w])eval\s*\(|new\s+Function\s*\(/, []],
    ["console output outside the audit trail", /\bconsole\s*\./, []],
  ])("does not contain %s", (_name, forbidden, except) => {
    expect(filesWith(forbidden, except)).toEqual([]);
  });

  test("names NODE_TLS_REJECT_UNAUTHORIZED only where the service refuses to start with it", () => {
    expect(filesWith(/NODE_TLS_REJECT_UNAUTHORIZED/)).toEqual([join("shared", "config", "environment.ts")]);
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

  test("loads no library at a cold start that only a request needs", () => {
    const loaded = packagesAtStart(metafile);
    expect(loaded.length).toBeGreaterThan(0);
    const lazy =
      /^(@azure\/(msal-|identity|keyvault-|data-tables|core-|monitor)|@redis\/|redis$|ioredis|@opentelemetry\/|applicationinsights)/;
    expect(loaded.filter((name) => lazy.test(name))).toEqual([]);
  });

  test("loads the relay with its first request and not at a cold start", () => {
    const relay = /(shared\/relay\/|read-relay-request\.ts$)/;
    expect(filesAtStart(metafile).filter((path) => relay.test(path))).toEqual([]);
    expect(Object.keys(metafile.inputs).filter((path) => relay.test(path)).length).toBeGreaterThan(5);
  });

  test("loads the description of the API with its first request and not at a cold start", () => {
    const description = /docs\/openapi\.json$/;
    expect(filesAtStart(metafile).filter((path) => description.test(path))).toEqual([]);
    expect(Object.keys(metafile.inputs).filter((path) => description.test(path))).toHaveLength(1);
  });

  test("contains the libraries that only a request needs", () => {
    const packages = packagesIn(Object.keys(metafile.inputs));
    expect(packages).toEqual(
      expect.arrayContaining(["@azure/msal-node", "@azure/keyvault-secrets", "@azure/data-tables"]),
    );
  });

  test("contains no parser that only the policy tools need: the service reads its policy with JSON.parse", () => {
    expect(packagesIn(Object.keys(metafile.inputs))).not.toContain("jsonc-parser");
  });

  test("contains no code of the local tenant, tests, benchmarks or clients", () => {
    expect(
      Object.keys(metafile.inputs).filter((path) => /(^|\/)(local|test|bench|clients)\//.test(repositoryPath(path))),
    ).toEqual([]);
  });

  test("SEC-16: does not turn the verification of certificates off, in libraries either", () => {
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

/** Files whose code is in the entry or in a chunk that it imports statically. */
function filesAtStart({ outputs }: Metafile): string[] {
  const entries = Object.keys(outputs).filter((path) => outputs[path]?.entryPoint?.endsWith("functions/index.ts"));
  const loaded = new Set<string>();
  const visit = (path: string) => {
    if (!loaded.has(path)) {
      loaded.add(path);
      for (const { path: next, kind, external } of outputs[path]?.imports ?? []) {
        if (kind === "import-statement" && external !== true) {
          visit(next);
        }
      }
    }
  };
  entries.forEach(visit);
  return [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {}));
}

function packagesAtStart(metafile: Metafile): string[] {
  return packagesIn(filesAtStart(metafile));
}

function packagesIn(inputs: readonly string[]): string[] {
  const names = inputs.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? "");
  return [...new Set(names.filter((name) => name !== ""))];
}

/** A path of the repository; an empty string for a path of a library. */
function repositoryPath(path: string): string {
  return path.includes("node_modules/") ? "" : path;
}
