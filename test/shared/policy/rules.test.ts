/** Bad policies stop the start: every problem is reported with its path, and never with a value. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../shared/policy/parse-policy.ts";
import { APP_ID, policyText, WEB_ID } from "./support/policies.ts";

const OTHER_ID = "ca11e400-0000-4000-8000-00000000000c";
const NO_SCOPE = "is a scope of no API: openid, profile, email and offline_access are not listed";

type Change = (policy: Raw) => void;
/** As an administrator writes it: anything may stand anywhere. */
// biome-ignore lint/suspicious/noExplicitAny: a policy that is wrong on purpose
type Raw = any;

function problems(change: Change): string[] {
  const raw: Raw = JSON.parse(policyText());
  change(raw);
  return problemsOf(JSON.stringify(raw));
}

function problemsOf(text: string): string[] {
  const parsed = parsePolicy(text);
  return "problems" in parsed ? parsed.problems.map(({ path, problem }) => `${path} ${problem}`.trim()) : [];
}

describe("the shape", () => {
  test.each<[string, string, string]>([
    ["nothing", "", "is not JSON"],
    ["not JSON", "{apis:{}}", "is not JSON"],
    ["a list", "[]", "must be object"],
    ["null", "null", "must be object"],
    ["a text", '"graph"', "must be object"],
  ])("%s", (_name, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test.each<[string, Change, string]>([
    ["no apis", (p) => delete p.apis, "apis must be record"],
    ["no callers", (p) => delete p.callers, "callers must be array"],
    ["an unknown member", (p) => (p.admins = []), "has unknown members: admins"],
    ["an API name with a space", anotherApi("a b"), "apis.a b has the wrong form"],
    ["an API without resource", (p) => delete p.apis.graph.resource, "apis.graph.resource must be string"],
    ["a resource that is no URI", (p) => (p.apis.graph.resource = "graph"), "apis.graph.resource has the wrong form"],
    ["a fragment", (p) => (p.apis.graph.resource += "#x"), "apis.graph.resource has the wrong form"],
    ["a long resource", (p) => (p.apis.graph.resource += "x".repeat(600)), "apis.graph.resource must be at most 512"],
    ["an API without scopes", (p) => (p.apis.graph.scopes = []), "apis.graph.scopes must be at least 1"],
    ["two scopes in one text", (p) => (p.apis.graph.scopes[1] = "a b"), "apis.graph.scopes.1 has the wrong form"],
    ["SEC-3: a quote in a scope", (p) => (p.apis.graph.scopes[0] = 'a"'), "apis.graph.scopes.0 has the wrong form"],
    ["SEC-3: CR LF in a content type", contentType("a/b\r\nX: y"), "apis.graph.contentType has the wrong form"],
    ["an unknown member of an API", (p) => (p.apis.graph.url = "x"), "apis.graph has unknown members: url"],
    ["a caller without a name", (p) => delete p.callers[0].name, "callers.0.name must be string"],
    ["a name with a space", (p) => (p.callers[0].name = "a b"), "callers.0.name has the wrong form"],
    ["another kind", (p) => (p.callers[0].kind = "admin"), "callers.0.kind must be one of user, application"],
    ["no client id", (p) => delete p.callers[0].clientId, "callers.0.clientId must be string"],
    ["a client id that is no GUID", (p) => (p.callers[0].clientId = "*"), "callers.0.clientId has the wrong form"],
    ["no flows", (p) => (p.callers[0].flows = []), "callers.0.flows must be at least 1"],
    [
      "the password flow",
      (p) => (p.callers[0].flows = ["password"]),
      "callers.0.flows.0 must be one of on-behalf-of, refresh-token, authorization-code, client-credentials",
    ],
    ["an API with no scopes", (p) => (p.callers[0].apis.graph = []), "callers.0.apis.graph must be at least 1"],
    ["a flag in words", (p) => (p.callers[0].cae = "true"), "callers.0.cae must be boolean"],
    ["no days", (p) => (p.callers[0].grantMaxDays = 0), "callers.0.grantMaxDays must be at least 1"],
    ["too many days", (p) => (p.callers[0].grantMaxDays = 366), "callers.0.grantMaxDays must be at most 365"],
    ["part of a day", (p) => (p.callers[0].grantMaxDays = 1.5), "callers.0.grantMaxDays must be int"],
    ["an unknown member of a caller", (p) => (p.callers[0].scope = "x"), "callers.0 has unknown members: scope"],
    ["an unknown limit", (p) => (p.callers[0].limits = { all: 1 }), "callers.0.limits has unknown members: all"],
    ["no bypass", limit(0), "callers.0.limits.bypassPerMinute must be at least 1"],
    ["any bypass", limit(1_001), "callers.0.limits.bypassPerMinute must be at most 1000"],
    [
      "a method of its own",
      (p) => (p.callers[0].downstream = [{ methods: ["TRACE"], pathPrefix: "/me" }]),
      "callers.0.downstream.0.methods.0 must be one of GET, HEAD, POST, PUT, PATCH, DELETE",
    ],
    [
      "a path that does not begin at the root",
      (p) => (p.callers[0].downstream = [{ methods: ["GET"], pathPrefix: "me" }]),
      "callers.0.downstream.0.pathPrefix has the wrong form",
    ],
    [
      "a subject client that is no GUID",
      (p) => (p.callers[1].subjectClients = ["x"]),
      "callers.1.subjectClients.0 has the wrong form",
    ],
  ])("%s", (_name, change, problem) => {
    expect(problems(change)).toEqual([problem]);
  });

  test("every problem is reported, not only the first", () => {
    const found = problems((p) => {
      p.apis.graph.scopes = [];
      p.callers[0].kind = "x";
      p.callers[1].clientId = "y";
    });
    expect(found).toHaveLength(3);
  });

  test("problems of form hide no contradictions, not even in the same entry", () => {
    const found = problems((p) => {
      p.apis.orders.resource = p.apis.graph.resource;
      p.apis.orders.colour = "red";
      p.callers[0].apis.mail = ["x"];
      p.callers[0].apis.graph.push("Files.Read");
      p.callers[0].unattended = true;
      p.callers[1].colour = "red";
      p.callers[1].name = p.callers[0].name;
      p.callers[1].downstream = [{ methods: ["GET"], pathPrefix: "/v1.0/me" }];
      p.callers.push({ ...p.callers[0], name: "again", grantMaxDays: 0 });
    });
    expect(found).toEqual([
      "apis.orders has unknown members: colour",
      "callers.1 has unknown members: colour",
      "callers.2.grantMaxDays must be at least 1",
      "apis.orders.resource is the resource of apis.graph too",
      "callers.1.name is the name of callers.0 too",
      "callers.2 could match the same caller as callers.0: same kind and clientId",
      "callers.0.apis.graph.2 is not in apis.graph.scopes",
      "callers.0.apis.mail is not in apis",
      "callers.0 is a user: unattended is for applications",
      "callers.1 uses downstream, which this version does not serve",
      "callers.2.apis.graph.2 is not in apis.graph.scopes",
      "callers.2.apis.mail is not in apis",
      "callers.2 is a user: unattended is for applications",
    ]);
  });

  test.each<[string, Change, string[]]>([
    ["no APIs at all", (p) => delete p.apis, ["apis must be record"]],
    ["an entry that is none", (p) => (p.callers[0] = null), ["callers.0 must be object"]],
    ["an API that is none", (p) => (p.apis.graph = 1), ["apis.graph must be object"]],
    [
      "a member of a member that is missing",
      (p) => {
        delete p.callers[1].flows;
        p.callers[1].redirectUris = ["https://app.example/cb"];
      },
      ["callers.1.flows must be array"],
    ],
  ])("what cannot be read is not guessed at: %s", (_name, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });
});

describe("a member that repeats, of which JSON.parse keeps the last", () => {
  const good = policyText();
  const twice = (from: string, to: string) => problemsOf(good.replace(from, to));

  test.each<[string, string, string, string[]]>([
    ["at the top", '{"apis":', '{"apis":{},"apis":', ["apis is there twice"]],
    ["an API", '"graph":{"resource"', '"graph":{},"graph":{"resource"', ["apis.graph is there twice"]],
    ["of an entry", '"name":"backend"', '"kind":"user","name":"backend"', ["callers.1.kind is there twice"]],
    ["written otherwise", '"name":"backend"', '"nam\\u0065":"x","name":"backend"', ["callers.1.name is there twice"]],
    [
      "three times",
      '"name":"backend"',
      '"cae":true,"cae":true,"cae":true,"name":"b"',
      ["callers.1.cae is there twice"],
    ],
  ])("%s", (_name, from, to, expected) => {
    expect(twice(from, to)).toEqual(expected);
  });

  test("beside other problems", () => {
    expect(twice('"name":"backend"', '"cae":"yes","name":"web-users","name":"backend","colour":"red"')).toEqual([
      "callers.1.name is there twice",
      "callers.1.cae must be boolean",
      "callers.1 has unknown members: colour",
    ]);
  });
});

describe("a member __proto__, which JSON.parse makes and a record of zod's drops", () => {
  const UNKNOWN = "has unknown members: __proto__";
  const API = '"__proto__":{"resource":"https://x.example","scopes":["a"]},';

  test.each<[string, string, string, string[]]>([
    ["at the top", '{"apis":', '{"__proto__":{},"apis":', [UNKNOWN]],
    ["among the APIs", '"graph":{"resource"', `${API}"graph":{"resource"`, [`apis ${UNKNOWN}`]],
    ["of an API", '"graph":{"resource"', '"graph":{"__proto__":[],"resource"', [`apis.graph ${UNKNOWN}`]],
    ["of an entry", '"name":"backend"', '"__proto__":null,"name":"backend"', [`callers.1 ${UNKNOWN}`]],
    [
      "among an entry's APIs",
      '"apis":{"graph":[',
      '"apis":{"__proto__":["a"],"graph":[',
      [`callers.0.apis ${UNKNOWN}`],
    ],
    ["written otherwise", '{"apis":{', '{"apis":{"__pro\\u0074o__":1,', [`apis ${UNKNOWN}`]],
    ["in a list", '"flows":[', '"flows":[{"__proto__":1},', [`callers.0.flows.0 ${UNKNOWN}`, expect.any(String)]],
    [
      "in another",
      '{"apis":{',
      '{"apis":{"__proto__":{"__proto__":1},',
      [`apis ${UNKNOWN}`, `apis.__proto__ ${UNKNOWN}`],
    ],
    [
      "beside another unknown one",
      '"name":"backend"',
      '"colour":"red","__proto__":{},"name":"backend"',
      [`callers.1 ${UNKNOWN}`, "callers.1 has unknown members: colour"],
    ],
    [
      "in an unknown one",
      '{"apis":',
      '{"admins":{"__proto__":{}},"apis":',
      [`admins ${UNKNOWN}`, "has unknown members: admins"],
    ],
    [
      "twice",
      '{"apis":{',
      '{"apis":{"__proto__":1,"__proto__":2,',
      ["apis.__proto__ is there twice", `apis ${UNKNOWN}`],
    ],
  ])("%s", (_name, from, to, expected) => {
    const good = policyText();
    expect(good).toContain(from);
    expect(problemsOf(good.replace(from, to))).toEqual(expected);
  });

  test("a value of that name is a value", () => {
    expect(problems((p) => (p.callers[0].displayName = "__proto__"))).toEqual([]);
  });

  test("in a text that is deeper than the stack", () => {
    const deep = `${"[".repeat(50_000)}{"__proto__":1}${"]".repeat(50_000)}`;
    const found = problemsOf(policyText().replace('{"apis":', `{"admins":${deep},"apis":`));
    expect(found.map((problem) => problem.replace(/(\.0)+/, ""))).toEqual([
      `admins ${UNKNOWN}`,
      "has unknown members: admins",
    ]);
  });
});

describe("redirect URIs (SEC-6): https or loopback, in their one spelling", () => {
  const withRedirect = (uri: string) =>
    problems((p) => {
      p.callers[1].flows.push("authorization-code");
      p.callers[1].redirectUris = [uri];
    });

  test.each([
    "http://evil.example/cb",
    "https://user@app.example/cb",
    "https://user:pass@app.example/cb",
    "https://app.example/cb#fragment",
    "https://app.example/a/../cb",
    "https://APP.example/cb",
    "https://app.example:443/cb",
    "https://app.example/c b",
    "javascript:alert(1)",
    "app://callback",
    "/cb",
    "",
  ])("%j is refused", (uri) => {
    expect(withRedirect(uri)).toEqual(["callers.1.redirectUris.0 has the wrong form"]);
  });

  test.each(["https://app.example/cb", "https://app.example", "http://localhost:3000/cb", "http://127.0.0.1/cb?x=1"])(
    "%j is accepted",
    (uri) => {
      expect(withRedirect(uri)).toEqual([]);
    },
  );
});

describe("what no schema can say", () => {
  test.each<[string, Change, string]>([
    [
      "two APIs with one resource",
      (p) => (p.apis.orders.resource = p.apis.graph.resource),
      "apis.orders.resource is the resource of apis.graph too",
    ],
    [
      "one name for two callers",
      (p) => (p.callers[1].name = p.callers[0].name),
      "callers.1.name is the name of callers.0 too",
    ],
    [
      "two entries that could match one caller",
      (p) => p.callers.push({ ...p.callers[0], name: "again" }),
      "callers.2 could match the same caller as callers.0: same kind and clientId",
    ],
    [
      "roles do not separate them: a token can carry both",
      (p) => p.callers.push({ ...p.callers[0], name: "again", role: "Reader" }),
      "callers.2 could match the same caller as callers.0: same kind and clientId",
    ],
    [
      "nor does the case of a GUID",
      (p) => p.callers.push({ ...p.callers[0], name: "again", clientId: p.callers[0].clientId.toUpperCase() }),
      "callers.2 could match the same caller as callers.0: same kind and clientId",
    ],
    ["an unknown API", (p) => (p.callers[0].apis.mail = ["x"]), "callers.0.apis.mail is not in apis"],
    [
      "an API named as a member of every object",
      (p) => (p.callers[0].apis.constructor = ["x"]),
      "callers.0.apis.constructor is not in apis",
    ],
    [
      "a scope that its API does not have",
      (p) => p.callers[0].apis.graph.push("Files.Read"),
      "callers.0.apis.graph.2 is not in apis.graph.scopes",
    ],
    [
      "a scope in other letters",
      (p) => (p.callers[0].apis.graph = ["user.read"]),
      "callers.0.apis.graph.0 is not in apis.graph.scopes",
    ],
    [
      "a user with client-credentials",
      (p) => p.callers[0].flows.push("client-credentials"),
      "callers.0 is a user: client-credentials is for applications",
    ],
    [
      "a user unattended",
      (p) => (p.callers[0].unattended = true),
      "callers.0 is a user: unattended is for applications",
    ],
    [
      "a user with subject clients",
      (p) => (p.callers[0].subjectClients = []),
      "callers.0 is a user: subjectClients is for applications",
    ],
    [
      "a code flow without redirect URIs",
      (p) => p.callers[1].flows.push("authorization-code"),
      "callers.1 needs redirectUris exactly with the flow authorization-code",
    ],
    [
      "redirect URIs without a code flow",
      (p) => (p.callers[1].redirectUris = ["https://app.example/cb"]),
      "callers.1 needs redirectUris exactly with the flow authorization-code",
    ],
    [
      "grants that nobody can redeem",
      (p) => {
        p.callers[0].flows = ["on-behalf-of"];
        p.callers[0].offlineAccess = true;
      },
      "callers.0 allows offlineAccess without the flow refresh-token",
    ],
    [
      "imports that nobody can redeem",
      (p) => {
        p.callers[0].flows = ["on-behalf-of"];
        p.callers[0].importRefreshTokens = true;
      },
      "callers.0 allows importRefreshTokens without the flow refresh-token",
    ],
    [
      "calls that this version does not make",
      (p) => (p.callers[0].downstream = [{ methods: ["GET"], pathPrefix: "/v1.0/me" }]),
      "callers.0 uses downstream, which this version does not serve",
    ],
  ])("%s", (_name, change, problem) => {
    expect(problems(change)).toEqual([problem]);
  });

  test("a user and an application of one client do not overlap", () => {
    expect(problems((p) => (p.callers[1].clientId = p.callers[0].clientId))).toEqual([]);
  });
});

describe("what could never work", () => {
  test.each<[string, Change, string[]]>([
    [
      "client-credentials that may ask for nothing",
      (p) => Object.assign(p.callers[1], { flows: ["client-credentials"], apis: { graph: ["User.Read"] } }),
      ["callers.1 has the flow client-credentials and no .default in any of its API lists"],
    ],
    ["an entry without APIs", (p) => (p.callers[0].apis = {}), ["callers.0.apis names no API"]],
    [
      "a subject client without an entry",
      (p) => p.callers[1].subjectClients.push(OTHER_ID),
      ["callers.1.subjectClients.1 has no entry of kind user"],
    ],
    [
      "a subject client with an entry of the other kind",
      (p) => p.callers[1].subjectClients.push(APP_ID),
      ["callers.1.subjectClients.1 has no entry of kind user"],
    ],
    [
      "a scope that belongs to no API",
      (p) => {
        p.apis.graph.scopes.push("offline_access", "openid");
        p.callers[0].apis.graph.push("profile", "email");
      },
      [
        `apis.graph.scopes.4 ${NO_SCOPE}`,
        `apis.graph.scopes.5 ${NO_SCOPE}`,
        `callers.0.apis.graph.2 ${NO_SCOPE}`,
        `callers.0.apis.graph.3 ${NO_SCOPE}`,
      ],
    ],
    [
      "grants that an application may not redeem",
      (p) => Object.assign(p.callers[1], { offlineAccess: true, unattended: false }),
      ["callers.1 allows offlineAccess without unattended: an application redeems its grants while nobody is there"],
    ],
    [
      "imports that an application may not redeem",
      (p) => Object.assign(p.callers[1], { importRefreshTokens: true, unattended: false }),
      [
        "callers.1 allows importRefreshTokens without unattended: an application redeems its grants while nobody is there",
      ],
    ],
  ])("%s", (_name, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });

  test.each<[string, Change]>([
    ["client-credentials for one of two APIs", (p) => Object.assign(p.callers[1], { flows: ["client-credentials"] })],
    ["a subject client in other letters", (p) => (p.callers[1].subjectClients = [WEB_ID.toUpperCase()])],
    ["no subject client", (p) => (p.callers[1].subjectClients = [])],
    ["a person's grant", (p) => (p.callers[0].offlineAccess = true)],
    ["an unattended application's grant", (p) => (p.callers[1].offlineAccess = true)],
    ["a scope that only sounds like one of sign-in", (p) => p.apis.graph.scopes.push("email.read", "OpenID")],
  ])("fine: %s", (_name, change) => {
    expect(problems(change)).toEqual([]);
  });

  test.each<[string, Change, string]>([
    ["kind", (p) => (p.callers[0].kind = "person"), "callers.0.kind must be one of user, application"],
    ["client id", (p) => (p.callers[0].clientId = "x"), "callers.0.clientId has the wrong form"],
  ])("an entry with the wrong %s may be the subject client's", (_name, change, expected) => {
    expect(problems(change)).toEqual([expected]);
  });
});

test("property: no problem repeats a value of the policy", () => {
  const marked = fc.string({ minLength: 1, maxLength: 20 }).map((text) => `marked ${text}`);
  const places: readonly ((p: Raw, value: string) => void)[] = [
    (p, value) => (p.apis.graph.resource = value),
    (p, value) => p.apis.graph.scopes.push(value),
    (p, value) => (p.apis.graph.contentType = value),
    (p, value) => (p.callers[0].name = value),
    (p, value) => (p.callers[0].clientId = value),
    (p, value) => (p.callers[0].kind = value),
    (p, value) => (p.callers[0].flows = [value]),
    (p, value) => p.callers[0].apis.graph.push(value),
    (p, value) => (p.callers[0].grantMaxDays = value),
    (p, value) => (p.callers[1].subjectClients = [value]),
    (p, value) => (p.callers[1].redirectUris = [value]),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...places), marked, (place, value) => {
      const found = problems((p) => place(p, value));
      expect(found.length).toBeGreaterThan(0);
      expect(found.join("\n")).not.toContain("marked");
    }),
  );
});

test("property: parsing is total", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(parsePolicy(text)).toBeDefined();
    }),
  );
});

test("a good policy: defaults are filled in, client ids in lower case", () => {
  const parsed = parsePolicy(policyText());
  expect("policy" in parsed && parsed.policy.callers[0]).toEqual({
    name: "web-users",
    kind: "user",
    clientId: WEB_ID,
    requireConfidentialClient: false,
    flows: ["on-behalf-of", "refresh-token"],
    apis: { graph: ["User.Read", "Mail.Read"] },
    offlineAccess: false,
    grantMaxDays: 90,
    unattended: false,
    redirectUris: [],
    downstream: [],
    acceptSurplus: false,
    cae: false,
    importRefreshTokens: false,
    limits: {},
  });
  const upper = parsePolicy(policyText().replaceAll(APP_ID, APP_ID.toUpperCase()));
  expect("policy" in upper && upper.policy.callers[1]?.clientId).toBe(APP_ID);
});

function anotherApi(name: string): Change {
  return (p) => (p.apis[name] = { ...p.apis.graph, resource: "https://another.example" });
}

function contentType(value: string): Change {
  return (p) => (p.apis.graph.contentType = value);
}

function limit(bypassPerMinute: number): Change {
  return (p) => (p.callers[0].limits = { bypassPerMinute });
}
