/**
 * docs/events.md: its example is what the service sends, and its receivers accept a genuine event and refuse a forged one.
 * Without Python, its receiver is skipped with a message.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { GrantEvent } from "../../shared/core/grant-event.ts";
import { succeed } from "../../shared/core/result.ts";
import { SecretValue } from "../../shared/core/secret-value.ts";
import { toCloudEvent } from "../../shared/events/cloud-event.ts";
import { createWebhookTarget } from "../../shared/events/webhook-target.ts";
import { createLoopbackOutbound } from "../../shared/outbound/loopback-outbound.ts";
import { fences, markdownFile, root, section, tableRows } from "./support/markdown.ts";

const { text } = markdownFile("docs/events.md");
const SECRET = `whsec_${Buffer.alloc(32, "s").toString("base64")}`;
const OTHER = `whsec_${Buffer.alloc(32, "o").toString("base64")}`;

const documented = JSON.parse(fences(text, "json")[0] ?? "{}");
const seconds = (time: string) => Date.parse(time) / 1_000;
const event: GrantEvent = {
  kind: "dead",
  grantId: documented.subject,
  clientId: documented.data.clientId,
  user: documented.data.user,
  policyEntry: documented.data.policyEntry,
  expiresAtSeconds: seconds(documented.data.expiresOn),
  reason: documented.data.reason,
  signInUrl: documented.data.signInUrl,
};
const sent = toCloudEvent(event, documented.source, seconds(documented.time));

test("the example is the event that the service sends", () => {
  expect(JSON.parse(sent.text)).toEqual(documented);
});

test("the table has each kind of event", () => {
  const kinds: Readonly<Record<GrantEvent["kind"], true>> = {
    created: true,
    expiring: true,
    dead: true,
    healed: true,
    revoked: true,
    presented_by_wrong_caller: true,
  };
  const rows = tableRows(section(text, "Events of grants"));
  expect(rows.map(([kind]) => kind?.replaceAll("`", "")).sort()).toEqual(Object.keys(kinds).sort());
});

const python = spawnSync("python3", ["--version"]).status === 0;
if (!python) process.stderr.write("\nSKIPPED: the Python receiver of docs/events.md. Install Python 3 to run it.\n\n");

const running: ChildProcess[] = [];
afterAll(() => {
  for (const receiver of running) receiver.kill();
});

describe.each([
  ["js", process.execPath, ["--input-type=module", "--eval"], true],
  ["python", "python3", ["-c"], python],
] as const)("the receiver in %s", (language, command, options, runs) => {
  test.skipIf(!runs)("prints a genuine event once, and answers 401 to a forged one", async () => {
    const port = await freePort();
    const [code = ""] = fences(text, language);
    const env = { ...process.env, WEBHOOK_SECRET: SECRET, PORT: String(port) };
    const receiver = spawn(command, [...options, code], { env, cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    running.push(receiver);
    let printed = "";
    receiver.stdout.on("data", (chunk) => {
      printed += String(chunk);
    });
    const sendWith = (secret: string) =>
      createWebhookTarget({
        url: `http://127.0.0.1:${port}/`,
        outbound: createLoopbackOutbound(),
        readSecret: async () => succeed(new SecretValue(secret)),
        nowMs: Date.now,
      }).send([sent]);
    await vi.waitFor(async () => expect(await sendWith(OTHER)).toEqual({ ok: false, failure: "status_401" }), 20_000);
    expect(await sendWith(SECRET)).toEqual({ ok: true, value: true });
    expect(await sendWith(SECRET)).toEqual({ ok: true, value: true });
    expect(await sendWith(`${OTHER} ${SECRET}`)).toEqual({ ok: true, value: true });
    const line = `${documented.type} ${documented.subject} ${documented.data.policyEntry}\n`;
    await vi.waitFor(() => expect(printed).toBe(line));
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
