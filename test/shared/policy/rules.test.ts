/** Parsing the policy: every problem is reported with its path and what is allowed, and never with a value. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../shared/policy/parse-policy.ts";
import { APP_ID, policyText, WEB_ID } from "./support/policies.ts";

const OTHER_ID = "ca11e400-0000-4000-8000-00000000000c";
const OIDC_SCOPE = "is a scope of OpenID Connect; openid, profile, email and offline_access must not be listed";

type Change = (policy: Raw) => void;
/** The policy as an administrator writes it: not yet validated. */
// biome-ignore lint/suspicious/noExplicitAny: an invalid policy on purpose
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

describe("a policy of the wrong form is reported", () => {
  test.each<[string, string, string]>([
    ["empty text", "", "is not JSON"],
    ["text that is not JSON", "{apis:{}}", "is not JSON"],
    ["a list instead of an object", "[]", "must be an object"],
    ["null", "null", "must be an object"],
    ["a string instead of an object", '"graph"', "must be an object"],
  ])("%s", (_name, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test.each<[string, Change, string]>([
    ["without apis", (p) => delete p.apis, "apis is missing; it must be an object"],
    ["without callers", (p) => delete p.callers, "callers is missing; it must be a list"],
    ["with an unknown member", (p) => (p.admins = []), "has an unknown member: admins"],
    [
      "with a space in an API name",
      anotherApi("a b"),
      "apis.a b must be 1 to 64 letters, digits, dots, underscores or hyphens, and start with a letter or digit",
    ],
    [
      "with an API without resource",
      (p) => delete p.apis.graph.resource,
      "apis.graph.resource is missing; it must be a string",
    ],
    [
      "with a resource that is not a URI",
      (p) => (p.apis.graph.resource = "graph"),
      "apis.graph.resource must be a URI with a host, without query and fragment, or the application id of the API",
    ],
    [
      "with a fragment in a resource",
      (p) => (p.apis.graph.resource += "#x"),
      "apis.graph.resource must be a URI with a host, without query and fragment, or the application id of the API",
    ],
    [
      "with a resource that is too long",
      (p) => (p.apis.graph.resource += "x".repeat(600)),
      "apis.graph.resource must have at most 512 characters",
    ],
    ["with an API without scopes", (p) => (p.apis.graph.scopes = []), "apis.graph.scopes must have at least 1 item"],
    [
      "with two scopes in one string",
      (p) => (p.apis.graph.scopes[1] = "a b"),
      "apis.graph.scopes.1 must be one scope: printable ASCII without space, quotation mark and backslash",
    ],
    [
      "with a quotation mark in a scope (SEC-3)",
      (p) => (p.apis.graph.scopes[0] = 'a"'),
      "apis.graph.scopes.0 must be one scope: printable ASCII without space, quotation mark and backslash",
    ],
    [
      "with CR LF in a content type (SEC-3)",
      contentType("a/b\r\nX: y"),
      "apis.graph.contentType must be a media type such as application/json",
    ],
    ["with an unknown member of an API", (p) => (p.apis.graph.url = "x"), "apis.graph has an unknown member: url"],
    ["with a caller without a name", (p) => delete p.callers[0].name, "callers.0.name is missing; it must be a string"],
    [
      "with a space in a caller's name",
      (p) => (p.callers[0].name = "a b"),
      "callers.0.name must be 1 to 64 letters, digits, dots, underscores or hyphens, and start with a letter or digit",
    ],
    [
      "with an unknown kind of caller",
      (p) => (p.callers[0].kind = "admin"),
      "callers.0.kind must be one of user, application",
    ],
    [
      "with a caller without a client id and a blueprint",
      (p) => delete p.callers[0].clientId,
      "callers.0 must have exactly one of clientId and blueprint",
    ],
    [
      "with a client id and a blueprint",
      (p) => (p.callers[0].blueprint = "a6e40000-0000-4000-8000-000000000001"),
      "callers.0 must have exactly one of clientId and blueprint",
    ],
    [
      "with a blueprint that is not a GUID",
      (p) => Object.assign(p.callers[0], { clientId: undefined, blueprint: "agents" }),
      "callers.0.blueprint must be a GUID",
    ],
    ["with a client id that is not a GUID", (p) => (p.callers[0].clientId = "*"), "callers.0.clientId must be a GUID"],
    ["with an empty list of flows", (p) => (p.callers[0].flows = []), "callers.0.flows must have at least 1 item"],
    [
      "with the password flow",
      (p) => (p.callers[0].flows = ["password"]),
      "callers.0.flows.0 must be one of on-behalf-of, refresh-token, authorization-code, client-credentials",
    ],
    [
      "with an empty scope list in an entry",
      (p) => (p.callers[0].apis.graph = []),
      "callers.0.apis.graph must have at least 1 item",
    ],
    ["with a string instead of a boolean", (p) => (p.callers[0].cae = "true"), "callers.0.cae must be true or false"],
    ["with grantMaxDays 0", (p) => (p.callers[0].grantMaxDays = 0), "callers.0.grantMaxDays must be at least 1"],
    ["with grantMaxDays 366", (p) => (p.callers[0].grantMaxDays = 366), "callers.0.grantMaxDays must be at most 365"],
    ["with keepAliveDays 0", (p) => (p.callers[1].keepAliveDays = 0), "callers.1.keepAliveDays must be at least 1"],
    ["with keepAliveDays 61", (p) => (p.callers[1].keepAliveDays = 61), "callers.1.keepAliveDays must be at most 60"],
    [
      "with maxGrantsPerUser 0",
      (p) => (p.callers[0].maxGrantsPerUser = 0),
      "callers.0.maxGrantsPerUser must be at least 1",
    ],
    [
      "with maxGrantsPerUser 1001",
      (p) => (p.callers[0].maxGrantsPerUser = 1001),
      "callers.0.maxGrantsPerUser must be at most 1000",
    ],
    [
      "with a fractional grantMaxDays",
      (p) => (p.callers[0].grantMaxDays = 1.5),
      "callers.0.grantMaxDays must be a whole number",
    ],
    ["with an unknown member of a caller", (p) => (p.callers[0].scope = "x"), "callers.0 has an unknown member: scope"],
    ["with an unknown limit", (p) => (p.callers[0].limits = { all: 1 }), "callers.0.limits has an unknown member: all"],
    ["with bypassPerMinute 0", limit(0), "callers.0.limits.bypassPerMinute must be at least 1"],
    ["with bypassPerMinute 1001", limit(1_001), "callers.0.limits.bypassPerMinute must be at most 1000"],
    [
      "with an unknown downstream method",
      (p) => (p.callers[0].downstream = { graph: [{ methods: ["TRACE"], path: "/me" }] }),
      "callers.0.downstream.graph.0.methods.0 must be one of GET, HEAD, POST, PUT, PATCH, DELETE",
    ],
    [
      "with a downstream path that does not start with a slash",
      (p) => (p.callers[0].downstream = { graph: [{ methods: ["GET"], path: "me" }] }),
      "callers.0.downstream.graph.0.path must be a path such as /v1.0/me/messages/**: literal segments, * for one segment, ** at the end for one or more",
    ],
    [
      "with a subject client that is not a GUID",
      (p) => (p.callers[1].subjectClients = ["x"]),
      "callers.1.subjectClients.0 must be a GUID",
    ],
  ])("%s", (_name, change, problem) => {
    expect(problems(change)).toEqual([problem]);
  });

  test("with every problem, not only the first", () => {
    const found = problems((p) => {
      p.apis.graph.scopes = [];
      p.callers[0].kind = "x";
      p.callers[1].clientId = "y";
    });
    expect(found).toHaveLength(3);
  });

  test("together with its contradictions, even in the same entry", () => {
    const found = problems((p) => {
      p.apis.orders.resource = p.apis.graph.resource;
      p.apis.orders.colour = "red";
      p.callers[0].apis.mail = ["x"];
      p.callers[0].apis.graph.push("Files.Read");
      p.callers[0].unattended = true;
      p.callers[1].colour = "red";
      p.callers[1].name = p.callers[0].name;
      p.callers[1].downstream = { mail: [{ methods: ["GET"], path: "/v1.0/me" }] };
      p.callers.push({ ...p.callers[0], name: "again", grantMaxDays: 0 });
    });
    expect(found).toEqual([
      "apis.orders has an unknown member: colour",
      "callers.1 has an unknown member: colour",
      "callers.2.grantMaxDays must be at least 1",
      "apis.orders.resource repeats the resource of apis.graph; each API must have a different resource",
      "callers.1.name repeats the name of callers.0; each entry must have a different name",
      "callers.2 has the same kind and clientId as callers.0; each caller must match one entry only",
      "callers.0.apis.graph.2 is not in apis.graph.scopes",
      "callers.0.apis names mail, which is not in apis; apis has graph, orders",
      "callers.0 has kind user and unattended, which only kind application may have",
      "callers.1.downstream.mail is not in apis of this entry; list its scopes there",
      "callers.2.apis.graph.2 is not in apis.graph.scopes",
      "callers.2.apis names mail, which is not in apis; apis has graph, orders",
      "callers.2 has kind user and unattended, which only kind application may have",
    ]);
  });

  test.each<[string, Change, string[]]>([
    ["apis is missing", (p) => delete p.apis, ["apis is missing; it must be an object"]],
    ["an entry is null", (p) => (p.callers[0] = null), ["callers.0 must be an object"]],
    ["an API is a number", (p) => (p.apis.graph = 1), ["apis.graph must be an object"]],
    [
      "a member is missing that another member depends on",
      (p) => {
        delete p.callers[1].flows;
        p.callers[1].redirectUris = ["https://app.example/cb"];
      },
      ["callers.1.flows is missing; it must be a list"],
    ],
  ])("without further problems that would be guesses: %s", (_name, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });
});

describe("a repeated member is reported", () => {
  const good = policyText();
  const twice = (from: string, to: string) => problemsOf(good.replace(from, to));

  test.each<[string, string, string, string[]]>([
    ["at the top level", '{"apis":', '{"apis":{},"apis":', ["apis appears more than once; write it once"]],
    [
      "an API",
      '"graph":{"resource"',
      '"graph":{},"graph":{"resource"',
      ["apis.graph appears more than once; write it once"],
    ],
    [
      "in an entry",
      '"name":"backend"',
      '"kind":"user","name":"backend"',
      ["callers.1.kind appears more than once; write it once"],
    ],
    [
      "spelled with an escape sequence",
      '"name":"backend"',
      '"nam\\u0065":"x","name":"backend"',
      ["callers.1.name appears more than once; write it once"],
    ],
    [
      "once even if it appears three times",
      '"name":"backend"',
      '"cae":true,"cae":true,"cae":true,"name":"b"',
      ["callers.1.cae appears more than once; write it once"],
    ],
  ])("%s", (_name, from, to, expected) => {
    expect(twice(from, to)).toEqual(expected);
  });

  test("together with other problems", () => {
    expect(twice('"name":"backend"', '"cae":"yes","name":"web-users","name":"backend","colour":"red"')).toEqual([
      "callers.1.name appears more than once; write it once",
      "callers.1.cae must be true or false",
      "callers.1 has an unknown member: colour",
    ]);
  });
});

describe("a member __proto__ is reported as unknown", () => {
  const UNKNOWN = "has an unknown member: __proto__";
  const API = '"__proto__":{"resource":"https://x.example","scopes":["a"]},';

  test.each<[string, string, string, string[]]>([
    ["at the top level", '{"apis":', '{"__proto__":{},"apis":', [UNKNOWN]],
    ["among the APIs", '"graph":{"resource"', `${API}"graph":{"resource"`, [`apis ${UNKNOWN}`]],
    ["in an API", '"graph":{"resource"', '"graph":{"__proto__":[],"resource"', [`apis.graph ${UNKNOWN}`]],
    ["in an entry", '"name":"backend"', '"__proto__":null,"name":"backend"', [`callers.1 ${UNKNOWN}`]],
    [
      "among an entry's APIs",
      '"apis":{"graph":[',
      '"apis":{"__proto__":["a"],"graph":[',
      [`callers.0.apis ${UNKNOWN}`],
    ],
    ["spelled with an escape sequence", '{"apis":{', '{"apis":{"__pro\\u0074o__":1,', [`apis ${UNKNOWN}`]],
    ["in a list", '"flows":[', '"flows":[{"__proto__":1},', [`callers.0.flows.0 ${UNKNOWN}`, expect.any(String)]],
    [
      "inside another __proto__",
      '{"apis":{',
      '{"apis":{"__proto__":{"__proto__":1},',
      [`apis ${UNKNOWN}`, `apis.__proto__ ${UNKNOWN}`],
    ],
    [
      "together with another unknown member",
      '"name":"backend"',
      '"colour":"red","__proto__":{},"name":"backend"',
      [`callers.1 ${UNKNOWN}`, "callers.1 has an unknown member: colour"],
    ],
    [
      "inside an unknown member",
      '{"apis":',
      '{"admins":{"__proto__":{}},"apis":',
      [`admins ${UNKNOWN}`, "has an unknown member: admins"],
    ],
    [
      "together with its repetition",
      '{"apis":{',
      '{"apis":{"__proto__":1,"__proto__":2,',
      ["apis.__proto__ appears more than once; write it once", `apis ${UNKNOWN}`],
    ],
  ])("%s", (_name, from, to, expected) => {
    const good = policyText();
    expect(good).toContain(from);
    expect(problemsOf(good.replace(from, to))).toEqual(expected);
  });

  test("but not a value __proto__", () => {
    expect(problems((p) => (p.callers[0].displayName = "__proto__"))).toEqual([]);
  });

  test("in JSON that is nested deeper than the stack", () => {
    const deep = `${"[".repeat(50_000)}{"__proto__":1}${"]".repeat(50_000)}`;
    const found = problemsOf(policyText().replace('{"apis":', `{"admins":${deep},"apis":`));
    expect(found.map((problem) => problem.replace(/(\.0)+/, ""))).toEqual([
      `admins ${UNKNOWN}`,
      "has an unknown member: admins",
    ]);
  });
});

describe("redirect URIs must be https or loopback, in normalized spelling (SEC-6)", () => {
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
    expect(withRedirect(uri)).toEqual([
      "callers.1.redirectUris.0 must be an https URI, or http on localhost, in normalized spelling, without user, fragment and wildcard",
    ]);
  });

  test.each(["https://app.example/cb", "https://app.example", "http://localhost:3000/cb", "http://127.0.0.1/cb?x=1"])(
    "%j is accepted",
    (uri) => {
      expect(withRedirect(uri)).toEqual([]);
    },
  );
});

describe("a contradiction is reported", () => {
  test.each<[string, Change, string]>([
    [
      "two APIs with the same resource",
      (p) => (p.apis.orders.resource = p.apis.graph.resource),
      "apis.orders.resource repeats the resource of apis.graph; each API must have a different resource",
    ],
    [
      "two entries with the same name",
      (p) => (p.callers[1].name = p.callers[0].name),
      "callers.1.name repeats the name of callers.0; each entry must have a different name",
    ],
    [
      "two entries that could match the same caller",
      (p) => p.callers.push({ ...p.callers[0], name: "again" }),
      "callers.2 has the same kind and clientId as callers.0; each caller must match one entry only",
    ],
    [
      "two entries that could match the same agents",
      (p) => {
        const blueprint = "a6e40000-0000-4000-8000-000000000001";
        const agents = { ...p.callers[0], clientId: undefined };
        p.callers.push({ ...agents, name: "agents", blueprint }, { ...agents, name: "again", blueprint });
      },
      "callers.3 has the same kind and blueprint as callers.2; each caller must match one entry only",
    ],
    [
      "two entries with different roles, because one token can carry both",
      (p) => p.callers.push({ ...p.callers[0], name: "again", role: "Reader" }),
      "callers.2 has the same kind and clientId as callers.0; each caller must match one entry only",
    ],
    [
      "two entries whose client ids differ in case only",
      (p) => p.callers.push({ ...p.callers[0], name: "again", clientId: p.callers[0].clientId.toUpperCase() }),
      "callers.2 has the same kind and clientId as callers.0; each caller must match one entry only",
    ],
    [
      "an unknown API",
      (p) => (p.callers[0].apis.mail = ["x"]),
      "callers.0.apis names mail, which is not in apis; apis has graph, orders",
    ],
    [
      "an unknown API named constructor",
      (p) => (p.callers[0].apis.constructor = ["x"]),
      "callers.0.apis names constructor, which is not in apis; apis has graph, orders",
    ],
    [
      "a scope that apis does not list for the API",
      (p) => p.callers[0].apis.graph.push("Files.Read"),
      "callers.0.apis.graph.2 is not in apis.graph.scopes",
    ],
    [
      "a scope in another case",
      (p) => (p.callers[0].apis.graph = ["user.read"]),
      "callers.0.apis.graph.0 is not in apis.graph.scopes; did you mean User.Read?",
    ],
    [
      "a user entry with client-credentials",
      (p) => p.callers[0].flows.push("client-credentials"),
      "callers.0 has kind user and the flow client-credentials, which only kind application may have",
    ],
    [
      "a user entry with unattended",
      (p) => (p.callers[0].unattended = true),
      "callers.0 has kind user and unattended, which only kind application may have",
    ],
    [
      "a user entry with subjectClients",
      (p) => (p.callers[0].subjectClients = []),
      "callers.0 has kind user and subjectClients, which only kind application may have",
    ],
    [
      "authorization-code without redirectUris",
      (p) => p.callers[1].flows.push("authorization-code"),
      "callers.1 must have redirectUris if it has the flow authorization-code, and must not have them otherwise",
    ],
    [
      "redirectUris without authorization-code",
      (p) => (p.callers[1].redirectUris = ["https://app.example/cb"]),
      "callers.1 must have redirectUris if it has the flow authorization-code, and must not have them otherwise",
    ],
    [
      "offlineAccess without refresh-token",
      (p) => {
        p.callers[0].flows = ["on-behalf-of"];
        p.callers[0].offlineAccess = true;
      },
      "callers.0 has offlineAccess without the flow refresh-token; add the flow or remove offlineAccess",
    ],
    [
      "keepAliveDays for people",
      (p) => Object.assign(p.callers[0], { keepAliveDays: 30, offlineAccess: true }),
      "callers.0 has kind user and keepAliveDays, which only kind application may have",
    ],
    [
      "keepAliveDays without offlineAccess",
      (p) => Object.assign(p.callers[1], { keepAliveDays: 30, offlineAccess: false, importRefreshTokens: false }),
      "callers.1 has keepAliveDays without offlineAccess; set offlineAccess or remove keepAliveDays",
    ],
    [
      "requireConfirmation without authorization-code",
      (p) => (p.callers[0].requireConfirmation = true),
      "callers.0 has requireConfirmation without the flow authorization-code; add the flow or remove requireConfirmation",
    ],
    [
      "importRefreshTokens without refresh-token",
      (p) => {
        p.callers[0].flows = ["on-behalf-of"];
        p.callers[0].importRefreshTokens = true;
      },
      "callers.0 has importRefreshTokens without the flow refresh-token; add the flow or remove importRefreshTokens",
    ],
    [
      "entra_secret for people",
      (p) => (p.callers[0].clientAuthentication = ["entra_secret"]),
      "callers.0 has kind user and clientAuthentication entra_secret or entra_assertion, which only kind application may have",
    ],
    [
      "ignored_with_subject for an application",
      (p) => (p.callers[1].clientAuthentication = ["ignored_with_subject"]),
      "callers.1 has kind application and clientAuthentication ignored_with_subject, which only kind user may have",
    ],
    [
      "ignored_with_subject without on-behalf-of",
      (p) => {
        p.callers[0].flows = ["refresh-token"];
        p.callers[0].clientAuthentication = ["ignored_with_subject"];
      },
      "callers.0 has clientAuthentication ignored_with_subject without the flow on-behalf-of; add the flow or remove it",
    ],
  ])("%s", (_name, change, problem) => {
    expect(problems(change)).toEqual([problem]);
  });

  test("but not a user entry and an application entry of the same client", () => {
    expect(problems((p) => (p.callers[1].clientId = p.callers[0].clientId))).toEqual([]);
  });
});

describe("an entry that could never work is reported", () => {
  test.each<[string, Change, string[]]>([
    [
      "client-credentials without .default",
      (p) => Object.assign(p.callers[1], { flows: ["client-credentials"], apis: { graph: ["User.Read"] } }),
      [
        "callers.1 has the flow client-credentials but no .default in its API lists; list .default for at least one API",
      ],
    ],
    [
      "an empty apis member",
      (p) => (p.callers[0].apis = {}),
      ["callers.0.apis is empty; it must name at least one API"],
    ],
    [
      "a subject client without an entry",
      (p) => p.callers[1].subjectClients.push(OTHER_ID),
      ["callers.1.subjectClients.1 is a client without an entry of kind user; add the entry or remove the client"],
    ],
    [
      "a subject client with an application entry only",
      (p) => p.callers[1].subjectClients.push(APP_ID),
      ["callers.1.subjectClients.1 is a client without an entry of kind user; add the entry or remove the client"],
    ],
    [
      "scopes of OpenID Connect",
      (p) => {
        p.apis.graph.scopes.push("offline_access", "openid");
        p.callers[0].apis.graph.push("profile", "email");
      },
      [
        `apis.graph.scopes.4 ${OIDC_SCOPE}`,
        `apis.graph.scopes.5 ${OIDC_SCOPE}`,
        `callers.0.apis.graph.2 ${OIDC_SCOPE}`,
        `callers.0.apis.graph.3 ${OIDC_SCOPE}`,
      ],
    ],
    [
      "offlineAccess of an application without unattended",
      (p) => Object.assign(p.callers[1], { offlineAccess: true, unattended: false }),
      ["callers.1 has kind application and offlineAccess without unattended; set unattended or remove offlineAccess"],
    ],
    [
      "importRefreshTokens of an application without unattended",
      (p) => Object.assign(p.callers[1], { importRefreshTokens: true, unattended: false }),
      [
        "callers.1 has kind application and importRefreshTokens without unattended; set unattended or remove importRefreshTokens",
      ],
    ],
  ])("%s", (_name, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });

  test.each<[string, Change]>([
    [
      "client-credentials with .default for one of two APIs",
      (p) => Object.assign(p.callers[1], { flows: ["client-credentials"] }),
    ],
    ["a subject client in upper case", (p) => (p.callers[1].subjectClients = [WEB_ID.toUpperCase()])],
    ["an empty list of subject clients", (p) => (p.callers[1].subjectClients = [])],
    ["offlineAccess of a user entry", (p) => (p.callers[0].offlineAccess = true)],
    ["offlineAccess of an unattended application", (p) => (p.callers[1].offlineAccess = true)],
    [
      "a scope whose name resembles an OpenID Connect scope",
      (p) => p.apis.graph.scopes.push("email.read", "OpenId.Read"),
    ],
    ["a scope of another API in another case", (p) => p.apis.orders.scopes.push("orders.read", "OpenID")],
  ])("but not %s", (_name, change) => {
    expect(problems(change)).toEqual([]);
  });

  test.each<[string, Change, string]>([
    ["kind", (p) => (p.callers[0].kind = "person"), "callers.0.kind must be one of user, application"],
    ["client id", (p) => (p.callers[0].clientId = "x"), "callers.0.clientId must be a GUID"],
  ])("but an entry with an invalid %s may be the subject client's", (_name, change, expected) => {
    expect(problems(change)).toEqual([expected]);
  });
});

describe("a spelling that can never match is reported with the right one", () => {
  const GRAPH_SPELLING = "apis.graph.resource is not spelled as Entra spells Microsoft Graph; write";

  test.each<[string, string]>([
    ["https://graph.microsoft.com/", `${GRAPH_SPELLING} https://graph.microsoft.com`],
    ["https://graph.microsoft.com/v1.0", `${GRAPH_SPELLING} https://graph.microsoft.com`],
    ["https://graph.microsoft.com/.default", `${GRAPH_SPELLING} https://graph.microsoft.com`],
    ["https://graph.microsoft.com:443", `${GRAPH_SPELLING} https://graph.microsoft.com`],
    ["http://graph.microsoft.com", `${GRAPH_SPELLING} https://graph.microsoft.com`],
    ["HTTPS://Graph.Microsoft.com", `${GRAPH_SPELLING} https://graph.microsoft.com`],
    ["https://graph.microsoft.us/", `${GRAPH_SPELLING} https://graph.microsoft.us`],
    ["https://DOD-graph.microsoft.us", `${GRAPH_SPELLING} https://dod-graph.microsoft.us`],
    ["https://microsoftgraph.chinacloudapi.cn/v1.0", `${GRAPH_SPELLING} https://microsoftgraph.chinacloudapi.cn`],
    [
      "00000003-0000-0000-C000-000000000000",
      "apis.graph.resource is the application id of Microsoft Graph; write https://graph.microsoft.com, or Graph's URI in your cloud",
    ],
    ["api://contoso/.default", "apis.graph.resource ends with the scope .default; write the resource without it"],
  ])("the resource %s", (resource, problem) => {
    expect(problems((p) => (p.apis.graph.resource = resource))).toEqual([problem]);
  });

  test.each([
    "499b84ac-1321-427f-aa17-267ca6975798",
    "https://management.azure.com/",
    "https://graph.contoso.example/v1.0",
    "api://graph.microsoft.com/",
    "https://API.contoso.example",
  ])("but not the resource %s", (resource) => {
    expect(problems((p) => (p.apis.graph.resource = resource))).toEqual([]);
  });

  test.each<[string, string]>([
    ["https://graph.microsoft.com/Files.Read", "has a resource in front; write Files.Read"],
    ["https://Graph.Microsoft.com//Files.Read", "has a resource in front; write Files.Read"],
    ["00000003-0000-0000-c000-000000000000/Files.Read", "has a resource in front; write Files.Read"],
    ["graph.microsoft.com/Files.Read", "has a resource in front; write Files.Read"],
    ["/Files.Read", "has a resource in front; write Files.Read"],
    ["https://graph.microsoft.com/.default", "has a resource in front; write .default"],
    ["https://graph.microsoft.com/openid", OIDC_SCOPE],
    ["Offline_Access", OIDC_SCOPE],
    ["mail.READ", "repeats apis.graph.scopes.1 in another case; list it once"],
    [".Default", "is not spelled as Entra spells it; write .default"],
    ["Files.Read,Sites.Read.All", "must be one permission of Microsoft Graph, for example User.Read"],
  ])("the scope %s of Graph", (scope, problem) => {
    expect(problems((p) => p.apis.graph.scopes.push(scope))).toContain(`apis.graph.scopes.4 ${problem}`);
  });

  test.each<[string, string]>([
    ["https://api.contoso.example/orders/Orders.Read", "has a resource in front; write Orders.Read"],
    ["https://another.example/Orders.Write", "has a resource in front; write Orders.Write"],
    ["499b84ac-1321-427f-aa17-267ca6975798/user_impersonation", "has a resource in front; write user_impersonation"],
  ])("the scope %s of another API", (scope, problem) => {
    const change: Change = (p) => {
      p.apis.orders.resource = "https://api.contoso.example/orders";
      p.apis.orders.scopes.push(scope);
    };
    expect(problems(change)).toEqual([`apis.orders.scopes.1 ${problem}`]);
  });

  test.each(["Orders/Read", "orders.read"])("but not the scope %s of another API", (scope) => {
    expect(problems((p) => p.apis.orders.scopes.push(scope))).toEqual([]);
  });

  test.each<[string, string]>([
    ["user.read", "callers.0.apis.graph.2 is not in apis.graph.scopes; did you mean User.Read?"],
    ["User.Raed", "callers.0.apis.graph.2 is not in apis.graph.scopes; did you mean User.Read?"],
    [
      "https://graph.microsoft.com/User.Read",
      "callers.0.apis.graph.2 is not in apis.graph.scopes; did you mean User.Read?",
    ],
    ["Files.Read", "callers.0.apis.graph.2 is not in apis.graph.scopes"],
    ["OpenID", `callers.0.apis.graph.2 ${OIDC_SCOPE}`],
  ])("the scope %s of an entry", (scope, problem) => {
    expect(problems((p) => p.callers[0].apis.graph.push(scope))).toEqual([problem]);
  });

  test("an API of an entry", () => {
    expect(problems((p) => (p.callers[0].apis.Graphs = ["User.Read"]))).toEqual([
      "callers.0.apis names Graphs, which is not in apis; did you mean graph?",
    ]);
  });
});

test("a GUID as resource is in lower case in the parsed policy", () => {
  const upper = "499B84AC-1321-427F-AA17-267CA6975798";
  const parsed = parsePolicy(policyText().replace("https://graph.microsoft.com", upper));
  expect("policy" in parsed && parsed.policy.apis["graph"]?.resource).toBe(upper.toLowerCase());
});

test("property: no problem contains a value of the policy", () => {
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

test("property: parsing never throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(parsePolicy(text)).toBeDefined();
    }),
  );
});

test("a valid policy gets its defaults, and its client ids in lower case", () => {
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
    maxGrantsPerUser: 20,
    requireConfirmation: false,
    unattended: false,
    anyPersonMayAllow: false,
    linkMinutes: 10,
    redirectUris: [],
    release: "token",
    downstream: {},
    clientAuthentication: [],
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

describe("the relay's part of a policy", () => {
  const RULE = { methods: ["GET"], path: "/v1.0/me" };
  const relayOnly = (entry: Raw) => Object.assign(entry, { release: "none", downstream: { graph: [RULE] } });

  test("is accepted: rules beside a token, and an entry that gets none", () => {
    expect(problems((p) => (p.callers[0].downstream = { graph: [RULE] }))).toEqual([]);
    expect(problems((p) => relayOnly(p.callers[0]))).toEqual([]);
  });

  test.each<[string, Change, string[]]>([
    [
      "rules for an API that the entry does not have",
      (p) => (p.callers[0].downstream = { Graph: [RULE] }),
      ["callers.0.downstream.Graph is not in apis of this entry; did you mean graph?"],
    ],
    [
      "rules for an API without a host",
      (p) => {
        p.apis.graph.resource = "api://graph";
        p.callers[0].downstream = { graph: [RULE] };
      },
      ["callers.0.downstream.graph needs apis.graph.baseUrl, because the resource has no https host"],
    ],
    [
      "an empty list of rules",
      (p) => (p.callers[0].downstream = { graph: [] }),
      ["callers.0.downstream.graph must have at least 1 item"],
    ],
    [
      "release none without rules",
      (p) => (p.callers[0].release = "none"),
      ['callers.0.apis.graph can never be used: the entry has release "none" and no downstream rule for it'],
    ],
    [
      "rules without a flow of the relay",
      (p) => {
        Object.assign(p.callers[1], {
          flows: ["authorization-code"],
          redirectUris: ["https://app.example/cb"],
          offlineAccess: false,
          unattended: false,
          anyPersonMayAllow: false,
          linkMinutes: 10,
          downstream: { graph: [RULE] },
        });
      },
      ["callers.1 has downstream without a flow of the relay; add refresh-token or client-credentials"],
    ],
    [
      "release none with authorization codes",
      (p) => {
        const redirectUris = ["https://app.example/cb"];
        Object.assign(relayOnly(p.callers[1]), { flows: ["authorization-code", "refresh-token"], redirectUris });
        p.callers[1].apis = { graph: ["User.Read"] };
      },
      ['callers.1 has release "none" and the flow authorization-code, which returns a token; remove one of them'],
    ],
    [
      "release none with imported refresh tokens",
      (p) => {
        Object.assign(relayOnly(p.callers[0]), { flows: ["refresh-token"], importRefreshTokens: true });
      },
      ['callers.0 has release "none" and importRefreshTokens, which returns a token; remove one of them'],
    ],
    [
      "a base URL for Microsoft Graph",
      (p) => (p.apis.graph.baseUrl = "https://graph.contoso.com"),
      [
        "apis.graph.baseUrl must not be set: the relay sends requests for Microsoft Graph to the host of its resource only",
      ],
    ],
  ])("is reported: %s", (_name, change, expected) => {
    expect(problems(change)).toEqual(expected);
  });

  test.each([
    "http://api.contoso.com",
    "https://api.contoso.com/",
    "https://user@api.contoso.com",
    "https://api.contoso.com?x",
    "https://api.contoso.com#x",
    "https://API.contoso.com",
    "https://api.contoso.com/a/../b",
    "https://api.contoso.com/%61",
    "api.contoso.com",
  ])("a base URL must have one spelling: %s is refused", (baseUrl) => {
    const [problem] = problems((p) => (p.apis.orders = { resource: "api://orders", scopes: ["x"], baseUrl }));
    expect(problem).toBe("apis.orders.baseUrl must be an https URL without query, fragment, user and final slash");
  });

  test.each(["/v1.0/../x", "/v1.0/**/x", "/v1.0/a%2fb", "/v1.0/a;b", "/v1.0//x", "/v1.0/", "/", "v1.0", "/a b"])(
    "a path of a rule must be normalised: %s is refused",
    (path) => {
      const found = problems((p) => (p.callers[0].downstream = { graph: [{ methods: ["GET"], path }] }));
      expect(found).toHaveLength(1);
    },
  );
});
