/** `POST /oauth2/revoke` (RFC 7009): accepts a handle or an id, and refuses Entra's tokens. */
import { expect, test } from "vitest";
import { readRevocation } from "../../../shared/http/read-revocation.ts";
import { form, posted, refusal } from "./support/incoming.ts";

const BEARER = { authorization: "Bearer a.b.c" };
const ID = "0f".repeat(32);

test.each<[string, Record<string, string>, string]>([
  ["no token", {}, "request_invalid parameter_missing token"],
  ["an empty token", { token: "" }, "request_invalid parameter_missing token"],
  ["an access token", { token: "a.b.c" }, "token_type_unsupported"],
  ["an id in upper case", { token: ID.toUpperCase() }, "token_type_unsupported"],
  ["an id that is too short", { token: ID.slice(1) }, "token_type_unsupported"],
  ["a client secret", { token: ID, client_secret: "x" }, "request_invalid client_secret_not_accepted client_secret"],
])("%s is refused", async (_name, parameters, outcome) => {
  expect(refusal(await readRevocation(form(parameters, BEARER)))).toBe(outcome);
});

test("a revocation as JSON is refused", async () => {
  expect(refusal(await readRevocation(posted({ token: ID })))).toBe("media_type_unsupported");
});

test.each([`gte_${"A".repeat(43)}`, ID])(
  "a revocation of %s is read, and token_type_hint is ignored",
  async (token) => {
    const read = await readRevocation(form({ token, token_type_hint: "refresh_token" }, BEARER));
    expect(read.ok && read.value.token.reveal()).toBe(token);
    expect(read.ok && read.value.clientAuthentication?.method).toBe("bearer");
  },
);

test.each(["gte_a\nb", "gte_a\rb", "gte_a\u2028b", "GTE_abc"])("refuses %j as a malformed handle", async (token) => {
  expect(await readRevocation(form({ token }, BEARER))).toMatchObject({
    ok: false,
    failure: { kind: "request_invalid", problem: "handle_malformed", parameter: "token" },
  });
});

test("a revocation without client authentication is read, and the route refuses it", async () => {
  expect(await readRevocation(form({ token: ID }))).toMatchObject({
    ok: true,
    value: { clientAuthentication: undefined },
  });
});
