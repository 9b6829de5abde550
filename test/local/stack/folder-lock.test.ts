/** The folder of a stack belongs to one stack at a time. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FolderInUse, lockFolder } from "../../../local/stack/folder-lock.ts";

let folder: string;
const lockFile = () => join(folder, "stack.lock");
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gte-lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the lock of a stack's folder", () => {
  test("excludes a second stack until it is released, and names the process", async () => {
    const lock = await lockFolder(folder);
    await expect(lockFolder(folder)).rejects.toThrow(FolderInUse);
    await expect(lockFolder(folder)).rejects.toMatchObject({ pid: process.pid });
    lock.release();
    expect(existsSync(lockFile())).toBe(false);
    (await lockFolder(folder)).release();
  });

  test("goes to exactly one of several stacks that start at the same time", async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockFolder(folder)));
    const winners = results.filter((result) => result.status === "fulfilled");
    expect(winners).toHaveLength(1);
    for (const { value } of winners) value.release();
  });

  test.each([
    ["of a stack that was killed", { pid: 1, port: 1, id: "x" }],
    ["that is damaged", "half"],
  ])("replaces a file %s", async (_, content) => {
    writeFileSync(lockFile(), JSON.stringify(content));
    const lock = await lockFolder(folder);
    expect(JSON.parse(readFileSync(lockFile(), "utf8"))).toMatchObject({ pid: process.pid });
    lock.release();
  });

  test("replaces a file whose port another program uses", async () => {
    const other = createServer((socket) => socket.end("another program"));
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    writeFileSync(lockFile(), JSON.stringify({ pid: process.pid, port, id: "x" }));
    (await lockFolder(folder)).release();
    other.close();
  });
});
