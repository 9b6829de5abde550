/** Client authentication: exactly one method. Secrets and passwords get their own error (SEC-1, RF-31, RF-40). */
import { describe, expect, test } from "vitest";
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

async function clientAuthentication(parameters: Record<string, string>, headers: Record<string, string> = {}) {
  const request = form({ grant_type: "x", ...parameters }, headers);
  const read = await readForm(request, []);
  if (!read.ok) return refusal(read);
  const found = readClientAuthentication(request, read.value);
  return found.ok ? `${found.value?.method} ${found.value?.token.reveal()}` : refusal(found);
}

const MALFORMED = "request_invalid authorization_malformed Authorization";
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
    ["Basic", {}, { authorization: "Basic aWQ6c2VjcmV0" }, SECRET],
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
