/** `POST /oauth2/revoke` (RFC 7009): a handle or an id; Entra's own tokens cannot be revoked here. */
import { expect, test } from "vitest";
import { readRevocation } from "../../../shared/http/read-revocation.ts";
import { form, posted, refusal } from "./support/incoming.ts";

const BEARER = { authorization: "Bearer a.b.c" };
const ID = "0f".repeat(32);

test.each<[string, Record<string, string>, string]>([
  ["no token", {}, "request_invalid parameter_missing token"],
  ["an empty token", { token: "" }, "request_invalid parameter_missing token"],
  ["an access token", { token: "a.b.c" }, "token_type_unsupported"],
  ["an id in capitals", { token: ID.toUpperCase() }, "token_type_unsupported"],
  ["an id too short", { token: ID.slice(1) }, "token_type_unsupported"],
  ["a secret", { token: ID, client_secret: "x" }, "request_invalid client_secret_not_accepted client_secret"],
])("%s is refused", async (_name, parameters, outcome) => {
  expect(refusal(await readRevocation(form(parameters, BEARER)))).toBe(outcome);
});

test("JSON is no form", async () => {
  expect(refusal(await readRevocation(posted({ token: ID })))).toBe("media_type_unsupported");
});

test.each(["gte_handle", ID])("%s, a hint or not", async (token) => {
  const read = await readRevocation(form({ token, token_type_hint: "refresh_token" }, BEARER));
  expect(read.ok && read.value.token.reveal()).toBe(token);
  expect(read.ok && read.value.clientAuthentication?.method).toBe("bearer");
});

test("nobody calls: the route says so", async () => {
  expect(await readRevocation(form({ token: ID }))).toMatchObject({
    ok: true,
    value: { clientAuthentication: undefined },
  });
});
