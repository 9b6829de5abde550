/**
 * Redirect URIs in the policy: RFC 9700 section 2.6, RFC 8252 section 7.3. With a wrong one, the service does not
 * start.
 */
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";

function problemsOf(entry: Record<string, unknown>): readonly { path: string; problem: string }[] {
  const policy = {
    apis: { graph: { resource: "https://graph.microsoft.com", scopes: ["User.Read"] } },
    callers: [
      {
        name: "backend",
        kind: "application",
        clientId: "11111111-2222-4333-8444-555555555555",
        flows: ["authorization-code"],
        apis: { graph: ["User.Read"] },
        redirectUris: ["https://app.example/callback"],
        ...entry,
      },
    ],
  };
  const parsed = parsePolicy(JSON.stringify(policy));
  return "problems" in parsed ? parsed.problems : [];
}

describe("an allowed redirect URI", () => {
  test.each([
    "https://app.example/callback",
    "https://app.example",
    "https://app.example:8443/a/b?tenant=1",
    "http://localhost:9999/callback",
    "http://127.0.0.1/callback",
    "http://[::1]:5000/callback",
  ])("%s", (uri) => {
    expect(problemsOf({ redirectUris: [uri] })).toEqual([]);
  });
});

describe("a policy that is refused for its redirect URIs", () => {
  test.each([
    "http://app.example/callback",
    "http://localhost.evil.example/callback",
    "https://user:password@app.example/callback",
    "https://app.example/callback#fragment",
    "https://app.example/a/../callback",
    "https://APP.example/callback",
    "https://app.example/call back",
    "https://*.app.example/callback",
    "javascript:alert(1)",
    "data:text/html,x",
    "com.example.app:/callback",
    "/callback",
    "",
  ])("%s", (uri) => {
    expect(problemsOf({ redirectUris: [uri] })).toEqual([
      { path: "callers.0.redirectUris.0", problem: expect.any(String) },
    ]);
  });

  test.each([
    ["the flow without redirectUris", { redirectUris: [] }, /redirectUris/],
    ["redirectUris without the flow", { flows: ["on-behalf-of"] }, /redirectUris/],
    ["a user entry", { kind: "user" }, /flow authorization-code, which only kind application may have/],
  ])("%s", (_name, change, expected) => {
    expect(problemsOf(change).map(({ problem }) => problem)).toEqual([expect.stringMatching(expected)]);
  });
});
