/**
 * The bundle contains `@azure/functions` compiled from its sources (see local/build/build-app.ts). These tests prove that the
 * sources are those of the release, and that an app behaves the same with both.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuildResult, buildApp } from "../../../local/build/build-app.ts";
import { type HostProcess, startHostProcess } from "../../../local/host/host-process.ts";
import { fixtureFolder } from "../host/support/fixture.ts";
import { type Sending, send } from "../host/support/send.ts";

const home = resolve(import.meta.dirname, "../../../node_modules/@azure/functions");

interface Built {
  readonly folder: string;
  readonly result: BuildResult;
  readonly host: HostProcess;
}

/** Bundles the app of the host's contract tests. */
async function build(publishedFunctions: boolean): Promise<Built> {
  const folder = mkdtempSync(join(tmpdir(), "gte-functions-package-"));
  const entry = join(fixtureFolder("contract"), "app.mjs");
  const result = await buildApp({ entry, outDirectory: join(folder, "dist"), publishedFunctions });
  copyFileSync(join(fixtureFolder("contract"), "host.json"), join(folder, "host.json"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ main: "dist/index.mjs" }));
  return { folder, result, host: await startHostProcess({ appDirectory: folder, port: 0, settings: {} }) };
}

let published: Built;
let compiled: Built;
beforeAll(async () => {
  published = await build(true);
  compiled = await build(false);
});
afterAll(async () => {
  for (const { folder, host } of [published, compiled]) {
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("the compiled source of @azure/functions", () => {
  const map: { sources: string[]; sourcesContent: string[] } = JSON.parse(
    readFileSync(join(home, "dist/azure-functions.js.map"), "utf8"),
  );
  const released = map.sources.flatMap((source, index) => {
    const path = /(?:^|\/)(src\/.*\.ts)$/.exec(source)?.[1];
    return path === undefined ? [] : [{ path, text: map.sourcesContent[index] }];
  });

  test("is byte for byte the source of the release", () => {
    expect(released.length).toBeGreaterThan(40);
    expect(released.filter(({ path, text }) => readFileSync(join(home, path), "utf8") !== text)).toEqual([]);
  });

  test("contains no other file of the package", () => {
    const used = Object.keys(compiled.result.metafile.inputs).filter((path) => path.includes("/@azure/functions/"));
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter((path) => !released.some((file) => path.endsWith(`/@azure/functions/${file.path}`)))).toEqual(
      [],
    );
  });

  test("uses private fields and not WeakMaps, which keep every request until the next full collection", () => {
    const textOf = ({ folder }: Built) => readFileSync(join(folder, "dist/index.mjs"), "utf8");
    expect(textOf(published)).toMatch(/__classPrivateField/);
    expect(textOf(compiled)).not.toMatch(/__classPrivateField|__awaiter/);
  });
});

describe("an app with the compiled package behaves as with the published one", () => {
  const kinds =
    "nothing throws text bytes json typedJson created noContent notModified badStatus repeated wrongLength badCookie cookies";
  const form: Sending = {
    method: "POST",
    body: "a=1&b=%C3%A9",
    headers: ["Content-Type", "x", "X-Twice", "1", "X-Twice", "2"],
  };
  test.each<[string, Sending]>([
    ...kinds.split(" ").map((kind): [string, Sending] => [`/answer/${kind}`, {}]),
    ["/answer/json", { method: "HEAD" }],
    ["/echo?a=1&A=2&b=", {}],
    ["/echo", form],
    ["/echo", { method: "PUT", body: new Uint8Array([0xff, 0x00]) }],
    ["/register-late", {}],
    ["/setup-late", {}],
    ["/files/a/b", {}],
  ])("for %s %o", async (path, sending) => {
    const [expected, actual] = await Promise.all(
      [published, compiled].map(({ host }) => answer(host.port, path, sending)),
    );
    expect(actual).toEqual(expected);
  });

  test("for log lines", async () => {
    const messages = async ({ host }: Built) => {
      await send(host.port, "/log");
      await expect.poll(() => host.logs.tail(20)).toContain("Executed 'Functions.log'");
      const lines = host.logs
        .tail(20)
        .split("\n")
        .map((line): Record<string, unknown> => JSON.parse(line));
      return lines
        .filter(({ category }) => category === "Function.log.User")
        .map(({ level, message }) => ({ level, message }));
    };
    const actual = await messages(compiled);
    expect(actual.length).toBeGreaterThan(2);
    expect(actual).toEqual(await messages(published));
  });
});

/** An answer without the values that differ between hosts and requests. */
async function answer(port: number, path: string, sending: Sending) {
  const { status, headers, text } = await send(port, path, sending);
  const { date: _date, "content-length": _length, ...rest } = headers;
  const timeless = text
    .replaceAll(String(port), "PORT")
    .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/00-[0-9a-f]{32}-[0-9a-f]{16}-00/g, "TRACE");
  return { status, headers: rest, text: timeless };
}
