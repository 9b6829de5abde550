/** `POST /signin/links`: a small JSON object, member by member. */
import { expect, test } from "vitest";
import { readLinkRequest } from "../../../shared/http/read-link-request.ts";
import { incoming, posted, refusal } from "./support/incoming.ts";

const BEARER = { authorization: "Bearer a.b.c" };
const USER = "A11CE000-0000-4000-8000-000000000001";

/** An authentication context, as Entra demands one. */
function demand(value: string) {
  return { access_token: { acrs: { essential: true, value } } };
}

test.each<[string, unknown, string]>([
  ["no API", {}, "parameter_missing api"],
  ["an API that is no name", { api: "a b" }, "parameter_invalid api"],
  ["an API that is no text", { api: 7 }, "parameter_invalid api"],
  ["a caller that is no name", { api: "graph", caller: "" }, "parameter_invalid caller"],
  ["a user by name", { api: "graph", expectedUser: "alice@contoso.example" }, "parameter_invalid expectedUser"],
  ["an unknown member", { api: "graph", days: 3 }, "parameter_not_supported days"],
  ["a member of every object", { api: "graph", constructor: "x" }, "parameter_not_supported constructor"],
  ["SEC-3: a member that is not plain", { api: "graph", 'a"': "x" }, "parameter_not_supported a parameter"],
  ["scopes of numbers", { api: "graph", scopes: [7] }, "parameter_invalid scopes"],
  ["a bad scope", { api: "graph", scopes: ['"'] }, "scope_malformed scopes"],
  ["claims that are no claims request", { api: "graph", claims: { userinfo: {} } }, "parameter_invalid claims"],
  ["claims that are a number", { api: "graph", claims: 7 }, "parameter_invalid claims"],
  [
    "claims for which a URL has no room",
    { api: "graph", claims: demand("v".repeat(1_000)) },
    "parameter_invalid claims",
  ],
  ["a list", [], "body_not_json"],
  ["several APIs beside one", { api: "graph", apis: { orders: [] } }, "parameter_invalid apis"],
  ["several APIs and scopes of none", { scopes: ["User.Read"], apis: { orders: [] } }, "parameter_invalid apis"],
  ["several APIs as a list", { apis: ["graph", "orders"] }, "parameter_invalid apis"],
  ["no API of several", { apis: {} }, "parameter_invalid apis"],
  ["one of several that is no name", { apis: { graph: [], "a b": [] } }, "parameter_invalid apis"],
  ["one of several with scopes of numbers", { apis: { graph: [7] } }, "parameter_invalid apis"],
  ["one of several with a bad scope", { apis: { graph: ['"'] } }, "scope_malformed apis"],
  [
    "too many",
    { apis: Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`a${at}`, []])) },
    "parameter_invalid apis",
  ],
])("%s is refused", async (_name, body, outcome) => {
  expect(refusal(await readLinkRequest(posted(body, BEARER)))).toBe(`request_invalid ${outcome}`);
});

test("Basic is refused before the body is read", async () => {
  expect(refusal(await readLinkRequest(posted({}, { authorization: "Basic x" })))).toMatch(
    "client_secret_not_accepted",
  );
});

test("an empty body names no API", async () => {
  expect(refusal(await readLinkRequest(incoming({ headers: BEARER })))).toBe("request_invalid parameter_missing api");
});

test("everything: the object id in small letters", async () => {
  const body = { api: "graph", scopes: "User.Read Mail.Read", caller: "mail-flow", expectedUser: USER };
  expect(await readLinkRequest(posted(body, BEARER))).toMatchObject({
    value: {
      clientAuthentication: { method: "bearer" },
      caller: "mail-flow",
      apis: [{ api: "graph", scopes: ["User.Read", "Mail.Read"] }],
      expectedUser: USER.toLowerCase(),
    },
  });
});

test("the API alone", async () => {
  expect(await readLinkRequest(posted({ api: "graph" }))).toMatchObject({
    value: {
      clientAuthentication: undefined,
      caller: undefined,
      apis: [{ api: "graph", scopes: [] }],
      expectedUser: undefined,
    },
  });
});

test.each([
  ["an object", demand("c1")],
  ["JSON text, as an answer of ours brings it", JSON.stringify(demand("c1"))],
  ["the base64 of a challenge", Buffer.from(JSON.stringify(demand("c1"))).toString("base64")],
])("claims as %s", async (_name, claims) => {
  const read = await readLinkRequest(posted({ api: "graph", claims }));
  expect(read).toMatchObject({ value: { claims: JSON.stringify(demand("c1")) } });
});

test("several APIs, the first one first", async () => {
  expect(await readLinkRequest(posted({ apis: { orders: [], graph: "User.Read Mail.Read" } }))).toMatchObject({
    value: {
      apis: [
        { api: "orders", scopes: [] },
        { api: "graph", scopes: ["User.Read", "Mail.Read"] },
      ],
    },
  });
});
