/** Client authentication: exactly one method. Secrets and passwords get their own error (SEC-1, RF-31, RF-40). */
import { describe, expect, test } from "vitest";
import type { TokenAuthentication } from "../../../shared/core/exchange-request.ts";
import { readForm } from "../../../shared/http/read-body.ts";
import { readBearer, readClientAuthentication } from "../../../shared/http/read-client-authentication.ts";
import { form, incoming, refusal } from "./support/incoming.ts";

const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln";
const ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

function bearer(authorization: string | undefined, url = "https://gte.example/x") {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  const read = readBearer(incoming({ url, headers }));
  return read.ok ? read.value?.token.reveal() : refusal(read);
}

function textOf(found: TokenAuthentication | undefined): string | undefined {
  return found?.method === "client_secret" ? `${found.clientId} ${found.secret.reveal()}` : found?.token.reveal();
}

async function clientAuthentication(parameters: Record<string, string>, headers: Record<string, string> = {}) {
  const request = form({ grant_type: "x", ...parameters }, headers);
  const read = await readForm(request, []);
  if (!read.ok) return refusal(read);
  const found = readClientAuthentication(request, read.value);
  return found.ok ? `${found.value?.method} ${textOf(found.value)}` : refusal(found);
}

const MALFORMED = "request_invalid authorization_malformed Authorization";
const TWO = "request_invalid two_client_authentications";
const ID = "ca11e400-0000-4000-8000-000000000001";
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
const BASIC = basic(`${ID}:x`).authorization;
const SECRET = "request_invalid client_secret_not_accepted Authorization";

describe("SEC-1: the Authorization header", () => {
  test.each<[string, string | undefined, string | undefined]>([
    ["a bearer token", `Bearer ${JWT}`, JWT],
    ["the scheme in lower case", `bearer ${JWT}`, JWT],
    ["the scheme in capitals", `BEARER ${JWT}`, JWT],
    ["padding at the end", `Bearer ${JWT}==`, `${JWT}==`],
    ["no header", undefined, undefined],
    ["an empty header", "", undefined],
    ["two spaces", `Bearer  ${JWT}`, MALFORMED],
    ["a tab", `Bearer\t${JWT}`, MALFORMED],
    ["two headers, joined by the host", `Bearer ${JWT}, Bearer ${JWT}`, MALFORMED],
    ["two tokens", `Bearer ${JWT} ${JWT}`, MALFORMED],
    ["a comma in the token", "Bearer a,b", MALFORMED],
    ["no token", "Bearer", MALFORMED],
    ["a space and no token", "Bearer ", MALFORMED],
    ["a space after the token", `Bearer ${JWT} `, MALFORMED],
    ["a line feed after the token", `Bearer ${JWT}\n`, MALFORMED],
    ["the token alone", JWT, MALFORMED],
    ["another scheme", `DPoP ${JWT}`, MALFORMED],
    ["a scheme with the same prefix", `BearerX ${JWT}`, MALFORMED],
    ["padding inside the token", "Bearer a=b", MALFORMED],
    ["non-ASCII", "Bearer tökn", MALFORMED],
    ["Basic", "Basic aWQ6c2VjcmV0", SECRET],
    ["basic", "basic aWQ6c2VjcmV0", SECRET],
    ["Basic without credentials", "Basic", SECRET],
  ])("%s", (_name, header, outcome) => {
    expect(bearer(header)).toBe(outcome);
  });
});

describe("SEC-1: a token in the URL is never accepted", () => {
  test.each([undefined, `Bearer ${JWT}`])("with the Authorization header %s", (header) => {
    expect(bearer(header, `https://gte.example/x?access_token=${JWT}`)).toBe(
      "request_invalid token_in_query access_token",
    );
  });

  test("an empty access_token is refused as well", () => {
    expect(bearer(`Bearer ${JWT}`, "https://gte.example/x?access_token")).toMatch("token_in_query");
  });
});

describe("at the token endpoint", () => {
  test.each<[string, Record<string, string>, Record<string, string>, string]>([
    ["a bearer", {}, { authorization: `Bearer ${JWT}` }, `bearer ${JWT}`],
    [
      "RF-50: a client assertion",
      { client_assertion: JWT, client_assertion_type: ASSERTION_TYPE },
      {},
      `client_assertion ${JWT}`,
    ],
    ["no authentication", {}, {}, "undefined undefined"],
    [
      "RF-31: a bearer and a client assertion",
      { client_assertion: JWT, client_assertion_type: ASSERTION_TYPE },
      { authorization: `Bearer ${JWT}` },
      "request_invalid two_client_authentications",
    ],
    [
      "RF-31: a bearer and an assertion type without assertion",
      { client_assertion_type: ASSERTION_TYPE },
      { authorization: `Bearer ${JWT}` },
      "request_invalid two_client_authentications",
    ],
    [
      "a type without an assertion",
      { client_assertion_type: ASSERTION_TYPE },
      {},
      "request_invalid parameter_missing client_assertion",
    ],
    [
      "an assertion without a type",
      { client_assertion: JWT },
      {},
      "request_invalid parameter_invalid client_assertion_type",
    ],
    [
      "a SAML assertion",
      { client_assertion: JWT, client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" },
      {},
      "request_invalid parameter_invalid client_assertion_type",
    ],
    ["a client secret", { client_secret: "hunter2" }, {}, "request_invalid client_secret_not_accepted client_secret"],
    [
      "a client secret and a bearer",
      { client_secret: "hunter2" },
      { authorization: `Bearer ${JWT}` },
      "request_invalid client_secret_not_accepted client_secret",
    ],
    ["Basic with a client id that is no GUID", {}, { authorization: "Basic aWQ6c2VjcmV0" }, SECRET],
    ["RF-36: Basic", {}, basic(`${ID}:hunter2`), `client_secret ${ID} hunter2`],
    ["RF-36: client_secret_post", { client_id: ID, client_secret: "hunter2" }, {}, `client_secret ${ID} hunter2`],
    ["the client id in capitals", {}, basic(`${ID.toUpperCase()}:hunter2`), `client_secret ${ID} hunter2`],
    ["Basic with the same client_id in the form", { client_id: ID }, basic(`${ID}:x`), `client_secret ${ID} x`],
    [
      "Basic with another client_id in the form",
      { client_id: ID.replace("1", "2") },
      basic(`${ID}:x`),
      "request_invalid client_id_mismatch client_id",
    ],
    ["RF-36: form-urlencoded Basic", {}, basic(`${ID}:a%7Eb%2Bc+d`), `client_secret ${ID} a~b+c d`],
    ["colons in the secret", {}, basic(`${ID}:a:b:`), `client_secret ${ID} a:b:`],
    ["an encoded colon in the client id", {}, basic(`${ID}%3Aa:b`), SECRET],
    ["Basic without colon", {}, basic(ID), SECRET],
    ["Basic with an empty secret", {}, basic(`${ID}:`), SECRET],
    ["Basic with an empty client id", {}, basic(":x"), SECRET],
    [
      "Basic that is not UTF-8",
      {},
      { authorization: `Basic ${Buffer.from(`${ID}:\xe9`, "latin1").toString("base64")}` },
      SECRET,
    ],
    ["Basic with a byte order mark", {}, basic(`\ufeff${ID}:x`), SECRET],
    ["Basic with a control character", {}, basic(`${ID}:a\nb`), SECRET],
    ["Basic with an encoded control character", {}, basic(`${ID}:a%00b`), SECRET],
    ["Basic with a truncated escape", {}, basic(`${ID}:a%2`), SECRET],
    ["Basic with overlong UTF-8 in an escape", {}, basic(`${ID}:a%C0%AF`), SECRET],
    [
      "Basic in another spelling of base64",
      {},
      { authorization: `Basic ${btoa(`${ID}:x`).replace(/=+$/, "")}` },
      SECRET,
    ],
    ["Basic with a secret of 257 characters", {}, basic(`${ID}:${"x".repeat(257)}`), SECRET],
    ["two Basic headers, joined by the host", {}, { authorization: `${BASIC}, ${BASIC}` }, SECRET],
    ["RF-31: Basic and client_secret", { client_id: ID, client_secret: "x" }, basic(`${ID}:x`), TWO],
    [
      "RF-31: Basic and a client assertion",
      { client_assertion: JWT, client_assertion_type: ASSERTION_TYPE },
      basic(`${ID}:x`),
      TWO,
    ],
    [
      "RF-31: client_secret and a client assertion",
      { client_id: ID, client_secret: "x", client_assertion: JWT, client_assertion_type: ASSERTION_TYPE },
      {},
      TWO,
    ],
    [
      "RF-31: client_secret and a bearer",
      { client_id: ID, client_secret: "x" },
      { authorization: `Bearer ${JWT}` },
      TWO,
    ],
    ["SEC-1: a token in the body", { access_token: JWT }, {}, "request_invalid parameter_not_supported access_token"],
    [
      "SEC-1: a token in the header and in the body",
      { access_token: JWT },
      { authorization: `Bearer ${JWT}` },
      "request_invalid parameter_not_supported access_token",
    ],
    ["a malformed header", {}, { authorization: "Bearer a b" }, MALFORMED],
  ])("%s", async (_name, parameters, headers, outcome) => {
    expect(await clientAuthentication(parameters, headers)).toBe(outcome);
  });

  test("SEC-11: the headers of Easy Auth are ignored", async () => {
    const headers = {
      "x-ms-client-principal": "e30=",
      "x-ms-token-aad-access-token": JWT,
      "x-ms-client-principal-id": "a",
    };
    expect(await clientAuthentication({}, headers)).toBe("undefined undefined");
  });
});
