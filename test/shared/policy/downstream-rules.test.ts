/** Which requests a rule of the relay allows, and how they are spelled. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type DownstreamCall,
  parseTarget,
  type RelayMethod,
  toRelativeUrl,
} from "../../../shared/core/downstream-target.ts";
import {
  allowedCall,
  type DownstreamRule,
  describeCall,
  describeRule,
} from "../../../shared/policy/downstream-rules.ts";
import { targetTexts } from "../../relay/support/target-texts.ts";

const GRAPH = "https://graph.microsoft.com";
const OTHER = "https://api.contoso.com";

function callOf(text: string): DownstreamCall | undefined {
  const [method = "", path = ""] = text.split(/ (.*)/s);
  const target = parseTarget(path);
  return target.ok ? { method: method as RelayMethod, target: target.value } : undefined;
}

/** What is sent, or undefined. */
function sent(rule: DownstreamRule, text: string, resource = GRAPH): string | undefined {
  const call = callOf(text);
  const allowed = call === undefined ? undefined : allowedCall(resource, [rule], call);
  return allowed === undefined ? undefined : toRelativeUrl(allowed.target);
}

const get = (path: string, query?: string[]): DownstreamRule => ({
  methods: ["GET"],
  path,
  ...(query === undefined ? {} : { query }),
});

describe("allowed", () => {
  test.each([
    ["/v1.0/me", "GET /v1.0/me", "/v1.0/me"],
    ["/v1.0/me", "GET /V1.0/ME", "/v1.0/me"],
    ["/v1.0/me", "GET /v1.0/%6d%65?$select=id", "/v1.0/me?$select=id"],
    ["/v1.0/users/*", "GET /v1.0/Users/Bob", "/v1.0/users/Bob"],
    ["/v1.0/users/*/messages", "GET /v1.0/users/a/Messages", "/v1.0/users/a/messages"],
    ["/v1.0/me/**", "GET /v1.0/me/messages/1/attachments", "/v1.0/me/messages/1/attachments"],
    ["/v1.0/me/**", "GET /v1.0/me/photo/$value", "/v1.0/me/photo/$value"],
    ["/v1.0/$batch", "GET /v1.0/$BATCH", "/v1.0/$batch"],
    ["/beta/me", "GET /BETA/me", "/beta/me"],
    ["/**", "GET /v1.0/me", "/v1.0/me"],
  ])("%s allows %s", (path, request, expected) => {
    expect(sent(get(path), request)).toBe(expected);
  });
});

describe("not allowed", () => {
  test.each([
    ["/v1.0/me", "POST /v1.0/me"],
    ["/v1.0/me", "HEAD /v1.0/me"],
    ["/v1.0/me", "GET /v1.0"],
    ["/v1.0/me", "GET /v1.0/me/messages"],
    ["/v1.0/me/**", "GET /v1.0/me"],
    ["/v1.0/me/*", "GET /v1.0/me/messages/1"],
    ["/v1.0/me/*", "GET /v1.0/me/$batch"],
    ["/v1.0/**", "GET /v1.0/$batch"],
    ["/v1.0/**", "GET /v1.0/me/$BATCH"],
    ["/v1.0/**", "GET /v1.0/$entity?$id=users"],
    ["/v1.0/**", "GET /v1.0/$all"],
    ["/**", "GET /beta/me"],
    ["/*/me", "GET /BETA/me"],
    ["/v1.0/me", "GET /v1.0/m\u{212a}e"],
    ["/v1.0/like", "GET /v1.0/li\u{212a}e"],
    ["/v1.0/me", "GET /v1.0('x')/me"],
    ["/v1.0/users/*/messages", "GET /v1.0/users('a')/messages"],
    ["/v1.0/me/messages", "GET /v1.0/me/messagesx"],
  ])("%s does not allow %s", (path, request) => {
    expect(sent(get(path), request)).toBeUndefined();
  });
});

test("the paths of other APIs are compared with case, and beta has no meaning there", () => {
  expect(sent(get("/orders/*"), "GET /orders/beta", OTHER)).toBe("/orders/beta");
  expect(sent(get("/*"), "GET /beta", OTHER)).toBe("/beta");
  expect(sent(get("/orders"), "GET /Orders", OTHER)).toBeUndefined();
});

test("query options are compared without case, by the spelling of the list", () => {
  const rule = get("/v1.0/me", ["$select", "startDateTime"]);
  expect(sent(rule, "GET /v1.0/me?$SELECT=id&startdatetime=x")).toBe("/v1.0/me?$SELECT=id&startdatetime=x");
  for (const query of ["select=id", "$filter=x", "$select=id&$expand=x", "$selec%74x=1"]) {
    expect(sent(rule, `GET /v1.0/me?${query}`)).toBeUndefined();
  }
  expect(sent(get("/v1.0/me", []), "GET /v1.0/me?a=1")).toBeUndefined();
  expect(sent(get("/v1.0/me", []), "GET /v1.0/me")).toBe("/v1.0/me");
});

test("of two rules for a path, one must allow method and query together", () => {
  const rules: DownstreamRule[] = [get("/v1.0/me", ["$select"]), { methods: ["PATCH"], path: "/v1.0/me" }];
  const ruleOf = (text: string) => {
    const call = callOf(text);
    return call === undefined ? undefined : allowedCall(GRAPH, rules, call)?.rule;
  };
  expect([ruleOf("GET /v1.0/me?$select=id"), ruleOf("PATCH /v1.0/me?a=1")]).toEqual(["/v1.0/me", "/v1.0/me"]);
  expect(ruleOf("GET /v1.0/me?a=1")).toBeUndefined();
});

test("rules and calls in words have no value of a query", () => {
  expect(describeRule({ methods: ["GET", "HEAD"], path: "/v1.0/me", query: ["$top"] })).toBe(
    "GET, HEAD /v1.0/me ($top)",
  );
  expect(describeRule(get("/v1.0/me", []))).toBe("GET /v1.0/me (no query)");
  const call = callOf("GET /v1.0/me?$filter=secret&a=b");
  expect(call && describeCall(call)).toBe("GET /v1.0/me?$filter&a");
});

describe("property: whatever is sent, it is refused or matches the rule when another parser reads it", () => {
  /** The rules as expressions about the path that a URL parser reads, without code of the service. */
  const RULES: readonly (readonly [string, RegExp])[] = [
    ["/v1.0/me", /^\/v1\.0\/me$/],
    ["/v1.0/me/messages/*", /^\/v1\.0\/me\/messages\/[^/]+$/],
    ["/v1.0/me/messages/**", /^\/v1\.0\/me\/messages(\/[^/]+)+$/],
    ["/v1.0/users/*/messages", /^\/v1\.0\/users\/[^/]+\/messages$/],
    ["/v1.0/**", /^\/v1\.0(\/[^/]+)+$/],
  ];

  test.each(RULES)("%s", (path, expected) => {
    fc.assert(
      fc.property(targetTexts, (text) => {
        const relative = sent(get(path), `GET ${text}`);
        if (relative === undefined) return;
        const { origin, pathname } = new URL(`${GRAPH}${relative}`);
        const decoded = decodeURIComponent(pathname);
        expect(origin).toBe(GRAPH);
        expect(decoded).toMatch(expected);
        expect(decoded.toLowerCase().split("/")).not.toContain("$batch");
        expect(decoded).not.toMatch(/(^|\/)\.+(\/|$)|[\\;%]|\/\//);
      }),
      { numRuns: 10_000 },
    );
  });
});
