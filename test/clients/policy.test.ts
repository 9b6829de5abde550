/** The policy commands of `npm run policy` and `gte policy`: output for administrators, exit codes for scripts. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { POLICY_COMMANDS } from "../../clients/policy/policy-command-line.ts";
import { POLICY_HELP } from "../../clients/policy/policy-help.ts";
import { PRESET_NAMES } from "../../clients/policy/presets.ts";
import { localPolicy } from "../../local/stack/policy.ts";
import { type ApiRule, apiSchema } from "../../shared/policy/rules.ts";
import { APP_ID, policyText, WEB_ID } from "../shared/policy/support/policies.ts";
import { runHere } from "./support/cli.ts";
import { createPolicyTool } from "./support/policy-tool.ts";

const program = resolve(import.meta.dirname, "../../clients/policy.ts");
const tool = createPolicyTool();
afterAll(() => rmSync(tool.folder, { recursive: true, force: true }));

const same = { apis: { graph: ["User.Read", "Mail.Read"] } };
/** A policy without errors. It has warnings about scopes that no entry uses. */
const good = (users: object = {}, backend: object = {}) => policyText({ ...same, ...users }, { ...same, ...backend });

function check(text: string, ...options: string[]) {
  return tool.run("check", tool.write("policy.json", text), ...options);
}

describe("policy check", () => {
  test("prints what each caller may do on standard output, and warnings on standard error", () => {
    const { code, out, notes } = check(good({}, { acceptSurplus: true }));
    expect(code).toBe(0);
    expect(out).toMatch(/^web-users \(user ca11e400-.*\)$/m);
    expect(notes).toMatch(/^policy\.json:1:\d+: warning: entry backend accepts surplus scopes$/m);
  });

  test("exits with code 1 for a warning with --strict", () => {
    const { code, out, notes } = check(good(), "--strict");
    expect([code, out]).toEqual([1, ""]);
    expect(notes).toMatch(/: error: .*is in no entry's list$/m);
    expect(notes).not.toContain(": warning: ");
  });

  test("prints every problem of a policy, in the order of the file", () => {
    const text = policyText({ apis: {} }, { colour: "red", subjectClients: ["ca11e400-0000-4000-8000-00000000000c"] });
    const { code, out, notes } = check(text.replace('"apis":{}', '"apis":{},"apis":{}'));
    expect([code, out]).toEqual([1, ""]);
    expect([...notes.matchAll(/: error: (.*)$/gm)].map(([, message]) => message)).toEqual([
      "entry web-users: apis appears more than once; write it once",
      "entry web-users: apis is empty; it must name at least one API",
      'entry backend: "ca11e400-0000-4000-8000-00000000000c" in subjectClients is a client without an entry of kind user; add the entry or remove the client',
      "entry backend has an unknown member: colour",
    ]);
  });

  test("prints JSON with --json, for programs", () => {
    const { code, out, notes } = check(good({ kind: "User" }), "--json");
    expect([code, notes]).toEqual([1, ""]);
    expect(JSON.parse(out)).toEqual({
      file: expect.stringMatching(/policy\.json$/),
      valid: false,
      findings: [
        {
          ...{ file: expect.any(String), severity: "error", line: 1, column: expect.any(Number) },
          ...{ path: "callers.0.kind", entry: "web-users", value: '"User"', suggestion: "user" },
          message: "entry web-users: kind must be one of user, application; did you mean user?",
          meaning: expect.stringContaining("a person who uses a client"),
          effect: "the service does not start with this policy",
        },
      ],
    });
  });

  test("finds the place of an API whose name has dots", () => {
    const text = good().replace('"graph":{"resource"', '"my.api":{"resource":"x","scopes":["A"]},"graph":{"resource"');
    const { out } = check(text, "--json");
    const { findings } = JSON.parse(out) as { findings: { column: number; value: string }[] };
    expect(findings.map(({ column, value }) => [text.slice(column - 1, column + 2), value])).toEqual([['"x"', '"x"']]);
  });

  test("writes no control character and no character that reorders text, and cuts long values", () => {
    const evil = `\u001b[2J\u202e${"a".repeat(500)}\n::error::x`;
    const { out, notes } = check(good({ name: evil, kind: evil, clientId: evil, [evil]: 1 }));
    expect(out + notes).not.toMatch(/[^\P{C}\n]/u);
    expect(notes).not.toMatch(/^::error/m);
    expect(notes).not.toContain("a".repeat(120));
  });

  test("never says a word of the schema library", () => {
    const values = [null, 1, "x", true, [], {}, [null], [[]], { a: null }, "\ud800"];
    const members = Object.keys(JSON.parse(policyText()).callers[1]);
    const texts = [...members, "limits", "downstream", "registration", "credential"].flatMap((member) =>
      values.map((value) => good({}, { [member]: value })),
    );
    const notes = texts.map((text) => check(text).notes).join("");
    expect(notes).not.toMatch(/\brecord\b|invalid|expected|received|undefined|\bunion\b|\bint\b|NaN|zod|\[object/i);
  });

  test("exits with code 2 if the file does not exist, or is a folder", () => {
    expect(tool.run("check", join(tool.folder, "nowhere.json"))).toEqual({
      code: 2,
      out: "",
      notes: "cannot read nowhere.json: there is no such file\n",
    });
    expect(tool.run("check", tool.folder)).toMatchObject({ code: 2, notes: expect.stringContaining("it is a folder") });
  });

  test("finds no error in the example of the documents and in the policy of the local stack", () => {
    const example = readFileSync(resolve(import.meta.dirname, "../../docs/examples/policy.json"), "utf8");
    expect(check(example, "--strict").notes).toBe("policy.json: 0 errors, 0 warnings\n");
    expect(check(JSON.stringify(localPolicy))).toMatchObject({ code: 0 });
  });

  test("names at most three other entries, in a policy with hundreds of them", () => {
    const callers = Array.from({ length: 300 }, (_, index) => ({
      ...{ name: `caller-${index}`, kind: "user", flows: ["on-behalf-of"] },
      clientId: `${WEB_ID.slice(0, -3)}${index.toString(16).padStart(3, "0")}`,
      apis: { graph: index === 0 ? ["User.Read"] : ["User.Read", "Mail.Read"] },
    }));
    const { notes } = check(JSON.stringify({ ...JSON.parse(good()), callers }));
    expect(notes).toContain("which caller-1, caller-2, caller-3 and 296 more have with the same registration");
    expect(notes.length).toBeLessThan(5_000);
  });

  test("reports JSON that is nested too deep", () => {
    expect(check(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)).toMatchObject({
      code: 1,
      notes: expect.stringContaining("objects and lists are nested too deep"),
    });
  });
});

describe("policy init", () => {
  test.each(PRESET_NAMES)("with --preset %s writes a policy without findings", (preset) => {
    const path = join(tool.folder, `${preset}.json`);
    expect(tool.run("init", path, "--preset", preset)).toMatchObject({ code: 0 });
    expect(tool.run("check", path, "--strict").notes).toBe(`${preset}.json: 0 errors, 0 warnings\n`);
  });

  test("with every preset writes one policy without errors, which names the JSON Schema beside it", () => {
    const path = join(tool.folder, "all.json");
    const presets = PRESET_NAMES.flatMap((preset) => ["--preset", preset]);
    const { code, out } = tool.run("init", path, ...presets);
    expect([code, out.split("\n").slice(0, 3)]).toEqual([
      0,
      [
        "Wrote all.json with entries for:",
        "  people who run scripts with gte, PowerShell or another client",
        "  a web application whose backend exchanges the tokens of its users",
      ],
    ]);
    expect(tool.run("check", path)).toMatchObject({ code: 0 });
    const { $schema } = JSON.parse(readFileSync(path, "utf8")) as { $schema: string };
    expect(JSON.parse(readFileSync(join(tool.folder, $schema), "utf8"))).toHaveProperty("properties.callers");
  });

  test("replaces no file and exits with code 2", () => {
    const path = tool.write("mine.json", "mine");
    expect(tool.run("init", path)).toMatchObject({
      code: 2,
      notes: "mine.json exists; choose another name or delete it\n",
    });
    expect(readFileSync(path, "utf8")).toBe("mine");
  });

  test("with an unknown preset writes nothing and lists the presets", () => {
    const path = join(tool.folder, "unknown.json");
    const { code, notes } = tool.run("init", path, "--preset", "robot");
    expect([code, existsSync(path)]).toEqual([2, false]);
    expect(notes).toContain(PRESET_NAMES.join(", "));
  });
});

describe("policy diff", () => {
  function diff(before: string, after: string, ...options: string[]) {
    return tool.run("diff", tool.write("old.json", before), tool.write("new.json", after), ...options);
  }

  const web = `web-users (user ${WEB_ID})`;
  const app = `backend (application ${APP_ID})`;
  const unattended = { offlineAccess: true, unattended: true };

  test.each<[string, object, object, string[]]>([
    ["the same policy", {}, {}, ["no difference"]],
    [
      "a new scope",
      {},
      { apis: { graph: ["User.Read", "Mail.Read", "Calendars.Read"] } },
      [`+ ${web}: scopes of graph: Calendars.Read`],
    ],
    ["a scope less", {}, { apis: { graph: ["User.Read"] } }, [`- ${web}: scopes of graph: Mail.Read`]],
    ["a new API", {}, { apis: { ...same.apis, orders: ["Orders.Read"] } }, [`+ ${web}: scopes of orders: Orders.Read`]],
    ["another flow", { flows: ["on-behalf-of"] }, {}, [`+ ${web}: flows: refresh-token`]],
    ["grants", {}, { offlineAccess: true }, [`+ ${web}: grants, which outlive the person's session`]],
    [
      "older grants",
      { grantsNotBefore: "2027-01-31T12:00:00Z" },
      { grantsNotBefore: "2026-01-31T12:00:00Z" },
      [`+ ${web}: grants allowed until 2027-01-31T12:00:00Z → 2026-01-31T12:00:00Z are refused`],
    ],
    [
      "newer grants only",
      {},
      { grantsNotBefore: "2027-01-31T12:00:00Z" },
      [`- ${web}: grants allowed until no time → 2027-01-31T12:00:00Z are refused`],
    ],
    ["grants that last longer", { grantMaxDays: 30 }, {}, [`+ ${web}: days that a grant lasts: 30 → 90`]],
    ["more grants of one person", {}, { maxGrantsPerUser: 30 }, [`+ ${web}: grants of one person: 20 → 30`]],
    ["public clients", { requireConfidentialClient: true }, {}, [`+ ${web}: also callers without a client credential`]],
    [
      "confidential clients only",
      {},
      { requireConfidentialClient: true },
      [`- ${web}: admits only callers with a client credential`],
    ],
    ["no role any more", { role: "Reader" }, {}, [`+ ${web}: also callers without the app role Reader`]],
    [
      "another role",
      { role: "A" },
      { role: "B" },
      [`+ ${web}: callers with the app role B`, `- ${web}: only callers with the app role B`],
    ],
    [
      "more requests past the cache",
      {},
      { limits: { bypassPerMinute: 20 } },
      [`+ ${web}: requests past the token cache in a minute: 10 → 20`],
    ],
    ["a new name", { name: "web" }, {}, [`  ${web}: is renamed; the name was web`]],
    ["a name for people", {}, { displayName: "Web" }, [`  ${web}: pages show Web`]],
    [
      "another purpose",
      { purpose: "Old" },
      { purpose: "Files invoices" },
      [`  ${web}: pages give the purpose: Files invoices`],
    ],
    ["no purpose any more", { purpose: "Old" }, {}, [`  ${web}: pages give the purpose: none`]],
  ])("of an entry with %s", (_name, before, after, lines) => {
    const { code, out } = diff(good(before), good(after));
    expect([code, out.trimEnd().split("\n")]).toEqual([0, lines]);
  });

  test.each<[string, object, object, string[]]>([
    ["another subject client", {}, { subjectClients: [WEB_ID, WEB_ID.replace("ca11", "CA11")] }, ["no difference"]],
    [
      "surplus scopes",
      {},
      { acceptSurplus: true },
      [`+ ${app}: tokens with every scope that is consented for the registration`],
    ],
    [
      "a redirect URI",
      {},
      { flows: ["on-behalf-of", "refresh-token", "authorization-code"], redirectUris: ["https://app.example/cb"] },
      [`+ ${app}: flows: authorization-code`, `+ ${app}: redirect URIs: https://app.example/cb`],
    ],
    [
      "no import any more",
      { ...unattended, importRefreshTokens: true },
      unattended,
      [`- ${app}: grants made of refresh tokens of Entra`],
    ],
  ])("of an application with %s", (_name, before, after, lines) => {
    const { code, out } = diff(good({}, before), good({}, after));
    expect([code, out.trimEnd().split("\n")]).toEqual([0, lines]);
  });

  test("marks an entry that gets tokens after it could only use the relay", () => {
    const relay = { release: "none", downstream: { graph: [{ methods: ["GET"], path: "/v1.0/me" }] } };
    const narrower = { ...relay, downstream: { graph: [{ methods: ["GET"], path: "/v1.0/me", query: [] }] } };
    expect(diff(good(relay), good()).out.trimEnd().split("\n")).toEqual([
      `+ ${web}: gets tokens, where it could only send requests through the relay (release none → token)`,
      `- ${web}: requests that the relay sends to graph: GET /v1.0/me`,
    ]);
    expect(diff(good(relay), good(narrower)).out.trimEnd().split("\n")).toEqual([
      `+ ${web}: requests that the relay sends to graph: GET /v1.0/me (no query)`,
      `- ${web}: requests that the relay sends to graph: GET /v1.0/me`,
    ]);
  });

  test("of new and removed callers, APIs and registrations", () => {
    const narrow = { clientId: "44444444-5555-6666-7777-888888888888" };
    const after = JSON.parse(good());
    after.callers[0].clientId = APP_ID;
    after.callers[1].subjectClients = [APP_ID];
    after.apis.mail = { resource: "https://mail.example", scopes: ["Mail"] };
    after.registrations = { narrow };
    after.callers.push({ ...after.callers[0], name: "narrow-users", registration: "narrow" });
    expect(diff(good(), JSON.stringify(after)).out.trimEnd().split("\n")).toEqual([
      `+ web-users (user ${APP_ID}): new caller: tokens for graph: User.Read Mail.Read, with on-behalf-of refresh-token`,
      `+ narrow-users (user ${APP_ID}): new caller: tokens for graph: User.Read Mail.Read, with on-behalf-of refresh-token, registration narrow`,
      `+ ${app}: clients whose users' tokens it may exchange: ${APP_ID}`,
      `- ${web}: is removed: it could get tokens for graph: User.Read Mail.Read, with on-behalf-of refresh-token`,
      `- ${app}: clients whose users' tokens it may exchange: ${WEB_ID}`,
      "  defines the API mail: https://mail.example",
      "  adds the registration narrow: client id 44444444-5555-6666-7777-888888888888",
    ]);
  });

  const ORDERS = JSON.parse(good()).apis.orders;
  const other: Record<keyof ApiRule, unknown> = {
    resource: "api://orders.contoso.example",
    scopes: [...ORDERS.scopes, "Orders.Write"],
    contentType: "text/plain",
    baseUrl: "https://orders.contoso.example",
    scopeDescriptions: { "Orders.Read": "Read your orders" },
  };

  test.each(Object.keys(apiSchema.shape) as (keyof ApiRule)[])("compares the member %s of an API", (member) => {
    const after = JSON.parse(good());
    after.apis.orders[member] = other[member];
    const { code, out } = diff(good(), JSON.stringify(after));
    expect([code, out]).toEqual([0, expect.not.stringContaining("no difference")]);
  });

  test("counts another host of the relay as a gain, and names both", () => {
    const at = (baseUrl?: string) => {
      const policy = JSON.parse(good());
      return JSON.stringify({ ...policy, apis: { ...policy.apis, orders: { ...ORDERS, baseUrl } } });
    };
    const old = at("https://a.contoso.com");
    expect(diff(old, at("https://evil.example"), "--fail-on-gain")).toMatchObject({
      code: 3,
      out: "+ every caller: the relay sends requests for orders to https://evil.example, before to https://a.contoso.com\n",
    });
    expect(diff(at(), old, "--fail-on-gain")).toMatchObject({
      code: 3,
      out: `+ every caller: the relay sends requests for orders to https://a.contoso.com, before to the host of ${ORDERS.resource}\n`,
    });
  });

  test("exits with code 3 with --fail-on-gain, only if a caller gains something", () => {
    const narrow = good({ apis: { graph: ["User.Read"] } });
    expect([diff(narrow, good(), "--fail-on-gain").code, diff(good(), narrow, "--fail-on-gain").code]).toEqual([3, 0]);
  });

  test("as Markdown puts each value of the policy between back quotes", () => {
    const { out } = diff(good(), good({ displayName: "</b>`@everyone` [x](https://evil.example)" }), "--markdown");
    expect(out).toBe(
      `#### Other changes\n\n- **web-users** (user ${WEB_ID}): pages show \`</b>'@everyone' [x](https://evil.example)\`\n`,
    );
    expect(diff(good(), good(), "--markdown").out).toBe("The policy does not change.\n");
  });

  test("as JSON lists the changes", () => {
    const { out } = diff(good(), good({ offlineAccess: true }), "--json");
    expect(JSON.parse(out)).toEqual({
      changes: [
        {
          entry: { name: "web-users", kind: "user", clientId: WEB_ID },
          kind: "gain",
          text: "grants, which outlive the person's session",
        },
      ],
    });
  });

  test("of a policy with which the service does not start prints its findings and exits with code 1", () => {
    expect(diff(good(), "{}")).toMatchObject({
      code: 1,
      out: "",
      notes: expect.stringMatching(/^new\.json:1:1: error/),
    });
  });
});

describe("policy explain", () => {
  const explain = (...options: string[]) => tool.run("explain", tool.write("policy.json", good()), ...options);

  test("answers for the name of an entry", () => {
    const { code, out } = explain("--caller", "web-users", "--flow", "on-behalf-of", "--api", "graph");
    expect(code).toBe(0);
    expect(out).toBe(
      `allowed (entry web-users)
  flow                  on-behalf-of
  API                   graph (https://graph.microsoft.com)
  requested from Entra  Mail.Read User.Read
  released at most      User.Read Mail.Read
`,
    );
  });

  test("answers for the client id of a caller without an entry, and exits with code 1", () => {
    const { code, out } = explain("--caller", `user:${APP_ID}`, "--flow", "on-behalf-of", "--api", "graph");
    expect(code).toBe(1);
    expect(out).toMatch(/^refused \(no entry matches the caller\)\n {2}the caller gets 403 caller_not_listed: /);
  });

  test("answers for an application with a user's token, and for a grant", () => {
    const graph = ["--api", "graph"];
    const application = ["--caller", "backend", ...graph];
    expect(explain(...application, "--flow", "on-behalf-of", "--subject", "web-users").code).toBe(0);
    expect(explain(...application, "--flow", "refresh-token", "--grant", "graph=User.Read").out).toContain(
      "requested from Entra  User.Read\n",
    );
  });

  test("says what a caller sees although policy allows the request: surplus", () => {
    const path = tool.write("policy.json", policyText({ apis: { graph: ["User.Read"] } }, same));
    const { code, notes } = tool.run(
      "explain",
      path,
      "--caller",
      "web-users",
      "--flow",
      "on-behalf-of",
      "--api",
      "graph",
    );
    expect(code).toBe(0);
    expect(notes).toContain("effect: a caller gets 500 scope_surplus on every call for graph");
  });

  test("answers for the registration that the entry names, or that the command line names", () => {
    const policy = JSON.parse(good());
    policy.registrations = { narrow: { clientId: "44444444-5555-6666-7777-888888888888" } };
    policy.callers[0].registration = "narrow";
    policy.callers.pop();
    const path = tool.write("policy.json", policy);
    const request = ["--caller", "web-users", "--flow", "on-behalf-of", "--api", "graph"];
    expect(tool.run("explain", path, ...request).code).toBe(0);
    const other = tool.run("explain", path, ...request, "--registration", "default");
    expect([other.code, other.out]).toEqual([1, expect.stringContaining("401 token_for_other_registration")]);
    expect(tool.run("explain", path, ...request, "--registration", "wide")).toMatchObject({
      code: 2,
      notes: expect.stringContaining("the policy does not define the registration in caller.registration"),
    });
  });

  test("answers for a request through the relay", () => {
    const path = join(tool.folder, "relay-explain.json");
    tool.run("init", path, "--preset", "relay");
    const request = ["--caller", "assistant", "--flow", "on-behalf-of"];
    const allowed = tool.run("explain", path, ...request, "--path", "/v1.0/me?$select=id");
    expect([allowed.code, allowed.out]).toEqual([
      0,
      expect.stringContaining("relay rule            /v1.0/me (the token is not released)\n"),
    ]);
    const refused = tool.run("explain", path, ...request, "--method", "DELETE", "--path", "/v1.0/me");
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining("403 downstream_not_allowed")]);
    expect(tool.run("explain", path, ...request).out).toContain("403 relay_only");
    expect(tool.run("explain", path, ...request, "--method", "GET").notes).toContain("--method needs --path");
  });

  test("with a name that no entry has, says which one is meant, and exits with code 2", () => {
    expect(explain("--caller", "web-user", "--flow", "on-behalf-of")).toMatchObject({
      code: 2,
      notes: expect.stringContaining('the policy has no entry "web-user"; did you mean web-users?'),
    });
  });

  test.each<[string, string, string]>([
    [
      "an option that another flow has",
      "--caller web-users --flow on-behalf-of --import",
      "--flow on-behalf-of takes no --import",
    ],
    [
      "an unknown flow",
      "--caller web-users --flow obo",
      "--flow must be on-behalf-of, refresh-token, authorization-code or client-credentials",
    ],
    ["no grant", "--caller web-users --flow refresh-token", "--flow refresh-token needs --grant or --import"],
    [
      "a grant and an import",
      "--caller backend --flow refresh-token --grant graph=A --import",
      "choose --grant or --import",
    ],
    ["no subject", "--caller backend --flow on-behalf-of", "--flow on-behalf-of of an application needs --subject"],
    ["no redirect URI", "--caller backend --flow authorization-code", "--flow authorization-code needs --redirect-uri"],
    [
      "an API twice",
      "--caller web-users --flow refresh-token --grant graph=A --grant graph=B",
      "--grant has an invalid value",
    ],
    [
      "a relative path",
      "--caller web-users --flow on-behalf-of --path v1.0//me",
      "The path or the query of the request",
    ],
    ["no caller", "--flow on-behalf-of", "explain needs --caller\n"],
    ["no flow", "--caller web-users", "explain needs --flow\n"],
    ["neither caller nor flow", "--json", "explain needs --caller and --flow\n"],
  ])("with %s names the options to correct, and exits with code 2", (_name, options, problem) => {
    const { code, notes } = explain(...options.split(" "));
    expect([code, notes]).toEqual([2, expect.stringContaining(problem)]);
    expect(notes.split("\n").at(-2)).toBe("Run: npm run policy -- help explain");
  });

  test("of a caller with two APIs says how to name one", () => {
    const path = tool.write("policy.json", good({ apis: { ...same.apis, orders: ["Orders.Read"] } }));
    const { out } = tool.run("explain", path, "--caller", "web-users", "--flow", "on-behalf-of");
    expect(out).toMatch(/403 api_not_named.*\n {2}to ask about one API, add --api\n$/);
  });
});

describe("policy test", () => {
  function run(cases: unknown, ...options: string[]) {
    const path = tool.write("policy.json", good());
    return tool.run("test", path, tool.write("cases.json", { cases } as object), ...options);
  }

  const request = { caller: "web-users", flow: "on-behalf-of", api: "graph" };

  test("prints one line for each case that passes, and exits with code 0", () => {
    expect(
      run([
        { name: "people read mail", ...request, scopes: ["Mail.Read"], expect: { allowed: ["Mail.Read"] } },
        { ...request, scopes: ["Mail.Send"], expect: { refused: "scope_not_allowed" } },
        { ...request, caller: { kind: "user", clientId: APP_ID }, expect: { refused: "caller_not_listed" } },
        { ...request, caller: "backend", subject: "web-users", expect: { allowed: true } },
      ]),
    ).toEqual({
      code: 0,
      notes: "",
      out: `ok      people read mail
ok      web-users on-behalf-of graph Mail.Send
ok      user ${APP_ID} on-behalf-of graph
ok      backend on-behalf-of graph

4 cases passed
`,
    });
  });

  test("a case may be about a request of the relay", () => {
    const call = { method: "GET", path: "/v1.0/me" };
    const { code, out } = run([{ ...request, call, expect: { refused: "downstream_not_allowed" } }]);
    expect([code, out]).toEqual([0, expect.stringMatching(/\n\n1 cases? passed\n$/)]);
  });

  test("prints what was expected and what is decided for a case that fails, and exits with code 1", () => {
    const { code, out } = run([
      { name: "people read mail", ...request, scopes: ["Mail.Read"], expect: { allowed: ["User.Read"] } },
      { name: "people send mail", ...request, scopes: ["Mail.Send"], expect: { allowed: true } },
      { name: "no mail", ...request, scopes: ["Mail.Read"], expect: { refused: "scope_not_allowed" } },
    ]);
    expect(code).toBe(1);
    expect(out).toMatch(
      /^FAILED {2}people read mail \(line 3\)\n {10}expected {2}allowed: User\.Read\n {10}actual {4}allowed: Mail\.Read\n/,
    );
    expect(out).toMatch(/expected {2}allowed\n {10}actual {4}refused: 403 scope_not_allowed: /);
    expect(out).toMatch(/3 of 3 cases failed\n$/);
  });

  test("prints JSON with --json", () => {
    const { out } = run([{ ...request, expect: { allowed: true } }], "--json");
    expect(JSON.parse(out)).toMatchObject({ passed: true, cases: [{ passed: true, expected: "allowed" }] });
  });

  test.each<[string, unknown, string]>([
    [
      "an unknown reason",
      [{ ...request, expect: { refused: "no" } }],
      'cases.0.expect must be { "allowed": [scopes] }',
    ],
    [
      "a misspelt member",
      [{ ...request, scope: [], expect: { allowed: true } }],
      "has an unknown member: scope; did you mean scopes?",
    ],
    ["no case", [], "cases must have at least 1 item"],
    ["no expectation", [request], "cases.0.expect is missing; it must be"],
    [
      "a member that the flow lacks",
      [{ ...request, name: "typo", flow: "refresh-token", expect: { allowed: true } }],
      'cases.json:3:5: error: case "typo": grant is missing\n',
    ],
    [
      "a caller that the policy lacks",
      [{ ...request, caller: "web-user", expect: { allowed: true } }],
      'error: case "web-user on-behalf-of graph": the policy has no entry "web-user"; did you mean web-users?\n',
    ],
  ])("with %s names the line and exits with code 2", (_name, cases, problem) => {
    const { code, notes } = run(cases);
    expect([code, notes]).toEqual([2, expect.stringMatching(/^cases\.json:\d+:\d+: error: /)]);
    expect(notes).toContain(problem);
  });
});

describe("the command line", () => {
  const usage = { code: 2, out: "" };

  test.each<[string[], string]>([
    [[], "no command was given"],
    [["chekc", "policy.json"], '"chekc" is not a command; the commands are check, init, diff, explain, test'],
    [["check"], "check takes <file>"],
    [["check", "a", "b"], "check takes <file>"],
    [["diff", "a"], "diff takes <old> <new>"],
    [
      ["check", "a", "--caller", "x"],
      "check has no option --caller; its options are --strict, --json\nRun: npm run policy -- help check",
    ],
    [["check", "a", "--colour"], "check has no option --colour; its options are --strict, --json"],
    [["--colour"], "no command has the option --colour\nRun: npm run policy -- --help"],
    [["explain", "a", "--flow", "on-behalf-of"], "cannot read a"],
    [["diff", "a", "b", "--json", "--markdown"], "choose --json or --markdown"],
  ])("with the arguments %j exits with code 2", (args, problem) => {
    expect(tool.run(...args)).toMatchObject({ ...usage, notes: expect.stringContaining(problem) });
  });

  test.each(POLICY_COMMANDS)("has help for %s, with examples, in at most 120 columns", (command) => {
    const { code, out } = tool.run(command, "--help");
    expect([code, out]).toEqual([0, tool.run("help", command).out]);
    expect(out.split("\n").filter((line) => line.length > 120)).toEqual([]);
    for (const example of POLICY_HELP[command].examples) expect(out).toContain(`  npm run policy -- ${example}\n`);
  });

  test("lists every command in its help", () => {
    const { code, out } = tool.run("--help");
    expect([code, POLICY_COMMANDS.filter((command) => !out.includes(`policy -- ${command}`))]).toEqual([0, []]);
  });

  test("gte policy does the same as npm run policy", async () => {
    const path = tool.write("policy.json", good());
    const { code, out, notes } = await runHere(["policy", "check", path]);
    const here = tool.run("check", path);
    expect([code, out, notes.replaceAll(`${tool.folder}/`, "")]).toEqual([here.code, here.out, here.notes]);
    expect((await runHere(["help", "policy"])).out).toContain("  gte policy check <file>");
    expect((await runHere(["policy", "check"])).notes).toContain("Run: gte policy help check");
  });

  test("npm run policy runs the same program", () => {
    const path = tool.write("policy.json", good());
    const { status, stdout } = spawnSync(process.execPath, [program, "check", path], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, tool.run("check", path).out]);
  });
});
