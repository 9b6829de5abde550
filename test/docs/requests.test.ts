/**
 * Sends docs/requests.http to the built service on a separate local stack: every request gets the status in its title, and
 * every route of the service has a request.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildApp } from "../../local/build/build-app.ts";
import { applicationToken, userToken } from "../../local/caller/caller-token.ts";
import type { Stack } from "../../local/stack/stack.ts";
import { startTestStack } from "../support/test-stack.ts";
import { root } from "./support/markdown.ts";
import { liveRoutes, matchesTemplate } from "./support/routes.ts";

interface HttpFileRequest {
  readonly title: string;
  readonly status: number;
  readonly name: string | undefined;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | undefined;
}

const file = readFileSync(join(root, "docs/requests.http"), "utf8");
const requests = readHttpFile(file);

let folder: string;
let stack: Stack;
const variables = new Map<string, string>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gte-requests-"));
  await buildApp({ entry: join(root, "functions/index.ts"), outDirectory: join(folder, "dist") });
  for (const name of ["host.json", "package.json"]) {
    cpSync(join(root, name), join(folder, name));
  }
  stack = await startTestStack({ appDirectory: folder });
  const { environment } = stack;
  variables.set("service", environment.serviceUrl);
  for (const person of ["alice", "carol", "dave", "erin"]) {
    variables.set(person, await userToken(environment, person));
  }
  variables.set("stranger", await userToken(environment, "alice", "stranger"));
  variables.set("assistant", await userToken(environment, "alice", "assistant"));
  for (const application of ["web", "daemon", "reports"]) {
    variables.set(application, await applicationToken(environment, application));
  }
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("requests.http", () => {
  test("the head explains every variable, and this test sets it", () => {
    const declared = [...file.matchAll(/^@(\w+) = /gm)].map(([, name]) => name ?? "");
    const head = file.slice(0, file.indexOf("@service"));
    expect(declared.filter((name) => !head.includes(name))).toEqual([]);
    expect(declared.sort()).toEqual([...variables.keys()].sort());
  });

  test("every live route has a request", () => {
    const paths = requests.map(({ target }) =>
      target.startsWith("{{link") ? "/signin/x" : target.replace("{{service}}", ""),
    );
    const pathnames = paths.map((path) => path.replace(/\?.*/, ""));
    const without = liveRoutes().filter(({ template }) => !pathnames.some((path) => matchesTemplate(template, path)));
    expect(without.map(({ template }) => template)).toEqual([]);
  });

  // In order: later requests use answers of earlier ones.
  test.each(requests)("$title → $status", async (request) => {
    const answer = await send(request);
    expect(`${answer.status} ${answer.status === request.status ? "" : answer.text}`.trim()).toBe(`${request.status}`);
    if (request.name !== undefined) {
      for (const [member, value] of Object.entries(JSON.parse(answer.text) as Record<string, unknown>)) {
        variables.set(`${request.name}.response.body.${member}`, String(value));
      }
    }
  });
});

function readHttpFile(text: string): HttpFileRequest[] {
  return text
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const [head = "", ...rest] = part.split("\n\n");
      const lines = head.split("\n");
      const [, title = "", status = ""] = /^(.+) → (\d{3})$/.exec(lines[0] ?? "") ?? [];
      const name = lines.map((line) => /^# @name (\w+)$/.exec(line)?.[1]).find((found) => found !== undefined);
      const [start = "", ...headers] = lines.slice(1).filter((line) => line !== "" && !line.startsWith("#"));
      const [method = "", target = ""] = start.split(" ");
      const body = rest.join("\n\n").trim();
      return {
        title,
        status: Number(status),
        name,
        method,
        target,
        headers: headers.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const),
        body: body === "" ? undefined : body,
      };
    });
}

function send({ method, target, headers, body }: HttpFileRequest): Promise<{ status: number; text: string }> {
  const filled = Object.fromEntries(headers.map(([name, value]) => [name, fill(value)]));
  const content = body === undefined ? undefined : Buffer.from(fill(body));
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      fill(target),
      { method, headers: { ...filled, ...(content === undefined ? {} : { "Content-Length": content.length }) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      },
    );
    sent.on("error", reject);
    sent.end(content);
  });
}

function fill(text: string): string {
  return text.replaceAll(/\{\{([\w.]+)\}\}/g, (_, name: string) => {
    const value = variables.get(name);
    if (value === undefined) {
      throw new Error(`The variable ${name} is not set. Check whether an earlier request failed.`);
    }
    return value;
  });
}
