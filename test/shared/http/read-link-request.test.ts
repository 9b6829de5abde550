/** `POST /signin/links`: each member of the JSON body. */
import { expect, test } from "vitest";
import { readLinkRequest } from "../../../shared/http/read-link-request.ts";
import { incoming, posted, refusal } from "./support/incoming.ts";

const BEARER = { authorization: "Bearer a.b.c" };
const USER = "A11CE000-0000-4000-8000-000000000001";

/** A claims request for an authentication context, as in Entra's challenge. */
function claimsFor(value: string) {
  return { access_token: { acrs: { essential: true, value } } };
}

test.each<[string, unknown, string]>([
  ["no API", {}, "parameter_missing api"],
  ["an API with an invalid name", { api: "a b" }, "parameter_invalid api"],
  ["an API that is a number", { api: 7 }, "parameter_invalid api"],
  ["a caller with an empty name", { api: "graph", caller: "" }, "parameter_invalid caller"],
  [
    "a user by name instead of object id",
    { api: "graph", expectedUser: "alice@contoso.example" },
    "parameter_invalid expectedUser",
  ],
  ["an unknown member", { api: "graph", days: 3 }, "parameter_not_supported days"],
  [
    "a member with the name of an Object method",
    { api: "graph", constructor: "x" },
    "parameter_not_supported constructor",
  ],
  ["SEC-3: a member with special characters", { api: "graph", 'a"': "x" }, "parameter_not_supported a parameter"],
  ["scopes of numbers", { api: "graph", scopes: [7] }, "parameter_invalid scopes"],
  ["an invalid scope", { api: "graph", scopes: ['"'] }, "scope_malformed scopes"],
  ["claims with userinfo", { api: "graph", claims: { userinfo: {} } }, "parameter_invalid claims"],
  ["claims that are a number", { api: "graph", claims: 7 }, "parameter_invalid claims"],
  [
    "claims that are too large for a URL",
    { api: "graph", claims: claimsFor("v".repeat(1_000)) },
    "parameter_invalid claims",
  ],
  ["a list as the body", [], "body_not_json"],
  ["apis together with api", { api: "graph", apis: { orders: [] } }, "parameter_invalid apis"],
  ["apis together with scopes", { scopes: ["User.Read"], apis: { orders: [] } }, "parameter_invalid apis"],
  ["apis as a list", { apis: ["graph", "orders"] }, "parameter_invalid apis"],
  ["empty apis", { apis: {} }, "parameter_invalid apis"],
  ["apis with an invalid name", { apis: { graph: [], "a b": [] } }, "parameter_invalid apis"],
  ["apis with scopes of numbers", { apis: { graph: [7] } }, "parameter_invalid apis"],
  ["apis with an invalid scope", { apis: { graph: ['"'] } }, "scope_malformed apis"],
  [
    "too many apis",
    { apis: Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`a${at}`, []])) },
    "parameter_invalid apis",
  ],
])("a link request with %s is refused", async (_name, body, outcome) => {
  expect(refusal(await readLinkRequest(posted(body, BEARER)))).toBe(`request_invalid ${outcome}`);
});

test("a link request with Basic is refused before the body is read", async () => {
  expect(refusal(await readLinkRequest(posted({}, { authorization: "Basic x" })))).toMatch(
    "client_secret_not_accepted",
  );
});

test("an empty link request is refused, because it names no API", async () => {
  expect(refusal(await readLinkRequest(incoming({ headers: BEARER })))).toBe("request_invalid parameter_missing api");
});

test("all members of a link request are read, the object id in lower case", async () => {
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

test("a link request needs only the API", async () => {
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
  ["an object", claimsFor("c1")],
  ["JSON text, as in the service's responses", JSON.stringify(claimsFor("c1"))],
  ["the base64 of a challenge", Buffer.from(JSON.stringify(claimsFor("c1"))).toString("base64")],
])("a link request accepts claims as %s", async (_name, claims) => {
  const read = await readLinkRequest(posted({ api: "graph", claims }));
  expect(read).toMatchObject({ value: { claims: JSON.stringify(claimsFor("c1")) } });
});

test("a link request with several APIs keeps their order", async () => {
  expect(await readLinkRequest(posted({ apis: { orders: [], graph: "User.Read Mail.Read" } }))).toMatchObject({
    value: {
      apis: [
        { api: "orders", scopes: [] },
        { api: "graph", scopes: ["User.Read", "Mail.Read"] },
      ],
    },
  });
});
