/** Parameters whose names show what the sender wants although the route does not read them. */
import { describe, expect, test } from "vitest";
import { readLinkRequest } from "../../../shared/http/read-link-request.ts";
import { readPolicyQuestion } from "../../../shared/http/read-policy-question.ts";
import { readPushedRequest } from "../../../shared/http/read-pushed-request.ts";
import { readRevocation } from "../../../shared/http/read-revocation.ts";
import { readTokenRequest } from "../../../shared/http/read-token-request.ts";
import { form, type Incoming, incoming, posted } from "./support/incoming.ts";

const hintOf = (result: { readonly ok: boolean; readonly failure?: unknown }) => {
  const { problem, parameter, hint } = (result.failure ?? {}) as Record<string, unknown>;
  return [problem, parameter, (hint as { meant?: string } | undefined)?.meant];
};

describe("a form of POST /oauth2/token", () => {
  test.each([
    ["scopes", "scope"],
    ["Scope", "scope"],
    ["SCOPE", "scope"],
    ["scope[]", "scope"],
    ["grant", "refresh_token"],
    ["api", "audience"],
    ["audiences", "audience"],
    ["refreshToken", "refresh_token"],
    ["redirect_url", "redirect_uri"],
    ["grantType", "grant_type"],
    ["forceRefresh", undefined],
    ["force_refresh", undefined],
    ["minimumSeconds", undefined],
  ])("with %s is refused: did you mean %s?", async (name, meant) => {
    const read = await readTokenRequest(form({ grant_type: "client_credentials", [name]: "x" }));
    expect(hintOf(read)).toEqual(["parameter_not_supported", /^[\w.-]+$/.test(name) ? name : "a parameter", meant]);
  });

  test.each([
    "client_info",
    "nonce",
    "state",
    "tenant",
    "authority",
    "x-client-SKU",
    "username",
    "requested_uti",
    "mode",
  ])("with the unknown parameter %s is read (RFC 6749 section 3.2)", async (name) => {
    expect((await readTokenRequest(form({ grant_type: "client_credentials", [name]: "x" }))).ok).toBe(true);
  });
});

describe("a query with the name of a body parameter", () => {
  const withQuery = (given: Incoming, query: string) => incoming({ ...given, url: `https://gte.example/x?${query}` });
  const readers: [route: string, read: (query: string) => Promise<{ readonly ok: boolean }>, name: string][] = [
    ["/oauth2/token", (query) => readTokenRequest(withQuery({}, query)), "scope"],
    ["/oauth2/par", (query) => readPushedRequest(withQuery({}, query)), "redirect_uri"],
    ["/oauth2/revoke", (query) => readRevocation(withQuery({}, query)), "token"],
    ["/signin/links", (query) => readLinkRequest(withQuery({}, query)), "expectedUser"],
    ["/policy/explain", (query) => readPolicyQuestion(withQuery({}, query)), "caller"],
  ];

  test.each(readers)("POST %s refuses it by name", async (_route, read, name) => {
    expect(hintOf(await read(`${name}=x`))).toEqual(["parameter_in_query", name, undefined]);
    expect(hintOf(await read(`${name.toUpperCase()}=x`))).toEqual(["parameter_in_query", name.toUpperCase(), name]);
  });

  test.each(readers)("POST %s ignores tracking parameters and those of the host", async (_route, read) => {
    for (const query of ["utm_source=x", "gclid=x", "code=key&clientId=default", "source=x", "_=1"]) {
      expect(hintOf(await read(query))[0]).not.toBe("parameter_in_query");
    }
  });
});

test("an unknown member of a sign-in link is refused: did you mean scopes?", async () => {
  const body = { api: "graph", scope: ["User.Read"] };
  expect(hintOf(await readLinkRequest(posted(body)))).toEqual(["parameter_not_supported", "scope", "scopes"]);
});
