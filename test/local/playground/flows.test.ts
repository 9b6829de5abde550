/** The playground's flows against the running stack, as its page asks for them: what they end with, and what is shown. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Message, Note, Trace } from "../../../local/playground/trace/trace.ts";
import type { Stack } from "../../../local/stack/stack.ts";
import { startTestStack } from "../../support/test-stack.ts";
import { askPlayground, playFlow } from "./ask-playground.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startTestStack({ playground: true });
});
afterAll(() => stack.stop());

const run = async (flow: string, caller = "web", person = "alice", more: object = {}): Promise<Trace> =>
  playFlow(stack, { flow, caller, person, ...more });

/** `caller>service 200`, the nested ones in parentheses. */
function shape(event: Message | Note): string {
  if (event.kind === "note") return "note";
  const nested = event.nested.length === 0 ? "" : ` (${event.nested.map(shape).join(", ")})`;
  return `${event.from}>${event.to} ${event.status}${nested}`;
}

describe("a flow", () => {
  test.each([
    ["header", "web", "Graph returned the profile of Alice Archer."],
    ["header", "intranet", "Graph returned the profile of Alice Archer."],
    ["header", "assistant", "relay_only"],
    ["header", "stranger", "caller_not_listed"],
    ["on-behalf-of", "web", "Graph returned the profile of Alice Archer."],
    ["token-exchange", "web", "Graph returned the profile of Alice Archer."],
    ["relay", "assistant", "The caller got Graph’s answer and no token."],
    ["client-credentials", "reports", "the application’s own permissions"],
    ["client-credentials", "daemon", "flow_not_allowed"],
    ["device-code", "cli", "Graph returned the profile of Alice Archer."],
    ["code", "web", "Graph returned the profile of Alice Archer."],
    ["relay-only", "assistant", "relay_only"],
    ["surplus", "web", "scope_surplus"],
    ["challenge", "web", "After Alice approved it, the same request succeeded."],
  ])("%s by %s: %s", async (flow, caller, outcome) => {
    const trace = await run(flow, caller);
    expect(trace.outcome).toContain(outcome);
    expect(trace.caller).toBe(caller);
    expect(JSON.stringify(trace)).not.toMatch(/eyJ[\w-]+\.eyJ|gte_[\w-]{20}/);
  });

  test("shows what the service asks Entra and Graph while it answers", async () => {
    const { events } = await run("relay", "assistant", "bob");
    expect(events.map(shape)).toEqual([
      "caller>entra 200",
      "caller>service 200 (service>entra 200, service>graph 200)",
    ]);
  });

  test("says when the service had the token in its cache, and skips the cache if the page asks for it", async () => {
    const entra = ({ events }: Trace) => events.map(shape)[1]?.includes("service>entra");
    const notes = ({ events }: Trace) => events.flatMap((event) => (event.kind === "note" ? event.text : []));
    for (const flow of ["grant-link", "grant-allow", "grant-redeem"]) await run(flow, "daemon");
    const again = await run("grant-redeem", "daemon");
    expect([entra(again), notes(again)]).toEqual([false, [expect.stringContaining("in the service’s cache")]]);
    const fresh = await run("grant-redeem", "daemon", "alice", { skipCache: true });
    expect([entra(fresh), notes(fresh)]).toEqual([true, []]);
  });

  test("shows the demand of a second factor, its answer, and that the same request then succeeds", async () => {
    const { events } = await run("challenge", "web", "bob");
    expect(events.map(shape)).toEqual([
      "note",
      "caller>entra 200",
      "caller>service 401 (service>entra 400)",
      "note",
      "caller>entra 200",
      "caller>service 200 (service>entra 200)",
      "caller>graph 200",
    ]);
  });

  test("has the policy's decision about the same caller and flow", async () => {
    const allowed = await run("header");
    expect(JSON.parse(allowed.decision?.answer ?? "")).toMatchObject({ allowed: true, entry: "web-users" });
    const refused = await run("relay-only");
    expect(JSON.parse(refused.decision?.answer ?? "")).toMatchObject({ allowed: false, reason: "relay_only" });
  });

  test("by a guest says that the policy would allow it, and why the service refused", async () => {
    const { outcome, decision } = await run("header", "web", "dave");
    expect(outcome).toContain("guest_not_allowed");
    expect(decision).toMatchObject({ allowed: true, remark: expect.stringContaining("a guest’s") });
    expect((await run("header")).decision).not.toHaveProperty("remark");
  });

  test("that opens a link shows the title of the page that the service sends instead of the question", async () => {
    await run("grant-link", "daemon", "dave");
    expect((await run("grant-allow", "daemon", "dave")).outcome).toMatch(/^The service showed “[A-Z].+” instead of/);
  });

  test("with a dead grant asks Entra, not the cache", async () => {
    for (const flow of ["grant-link", "grant-allow", "grant-redeem", "grant-kill"]) await run(flow, "daemon", "bob");
    const { events, outcome } = await run("grant-redeem", "daemon", "bob");
    expect(outcome).toContain("grant_dead");
    expect(JSON.stringify(events)).toContain("forceRefresh");
  });

  test("is run by its own caller if the chosen one cannot", async () => {
    expect((await run("relay", "reports")).caller).toBe("assistant");
  });

  test("that needs a link or a handle says so before there is one", async () => {
    for (const flow of ["grant-allow", "grant-redeem", "grant-kill", "grant-heal", "grant-revoke"]) {
      const trace = await run(flow, "daemon", "erin");
      expect(trace.outcome).toContain("Ask with a link");
      expect(trace.events).toEqual([]);
    }
  });

  test("leaves no demand and no consent behind", async () => {
    await run("surplus");
    await run("challenge");
    expect((await run("header", "web", "alice", { skipCache: true })).outcome).toContain("Graph returned");
  });
});

describe("the playground refuses", () => {
  test.each<[string, Record<string, string>]>([
    ["another site", { origin: "https://evil.example" }],
    ["no origin", { origin: "" }],
    ["a form", { "content-type": "application/x-www-form-urlencoded" }],
  ])("a request of %s", async (_, headers) => {
    expect((await askPlayground(stack, "run", { flow: "header" }, headers)).status).toBe(403);
  });

  test.each([
    "/playground/session.ts",
    "/playground/..%2Fplayground.ts",
    "/playground/README.md",
    "/playground/nothing.js",
  ])("to serve %s", async (path) => {
    expect((await fetch(stack.service.url + path)).status).toBe(404);
  });

  test.each(["constructor", "toString", "nothing"])("the operation %s", async (operation) => {
    expect((await askPlayground(stack, operation, { flow: "header", person: "alice" })).status).toBe(400);
  });

  test("an unknown flow, person or switch, and a large body", async () => {
    expect((await askPlayground(stack, "run", { flow: "nothing", person: "alice", caller: "web" })).status).toBe(400);
    expect((await askPlayground(stack, "run", { flow: "header", person: "__proto__", caller: "web" })).status).toBe(
      400,
    );
    expect((await askPlayground(stack, "switch", { id: "nothing", person: "alice", on: true })).status).toBe(400);
    expect((await askPlayground(stack, "run", { flow: "x".repeat(1_001) })).status).toBe(413);
  });
});

test("the page has a policy without inline code, and the service's own page is still there", async () => {
  const page = await fetch(stack.service.url);
  expect(page.headers.get("content-security-policy")).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self'/,
  );
  expect(await page.text()).not.toMatch(/<script>|<style|\son\w+=/);
  const own = await fetch(`${stack.service.url}/?app`);
  expect(own.headers.get("content-security-policy")).not.toContain("script-src");
  expect(await own.text()).not.toContain("laygroun");
});
