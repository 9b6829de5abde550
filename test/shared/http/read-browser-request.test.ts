/** Requests of browsers: no value is trusted, and only the confirmation page may send its form. */
import { describe, expect, test } from "vitest";
import {
  readAuthorize,
  readCallback,
  readConfirmationForm,
  readConfirmationPage,
  readLink,
} from "../../../shared/http/read-browser-request.ts";
import { FORM_TYPE, form, incoming, refusal } from "./support/incoming.ts";

const SERVICE = "https://gte.example";
const COOKIE = { cookie: "__Host-gte=x" };

function arriving(query: Record<string, string> | string) {
  return incoming({ method: "GET", url: `${SERVICE}/x?${new URLSearchParams(query)}`, headers: COOKIE });
}

function reason(result: { readonly ok: boolean; readonly failure?: unknown }) {
  return result.ok ? undefined : (result.failure as { readonly reason?: string }).reason;
}

describe("authorize request", () => {
  test("RFC 9101 section 5: only client_id and request_uri are read from the URL", () => {
    const query = { client_id: "c", request_uri: "urn:r", redirect_uri: "https://evil.example", scope: "Files.Read" };
    expect(readAuthorize(arriving(query))).toEqual({
      ok: true,
      value: { clientId: "c", requestUri: "urn:r", cookieHeader: "__Host-gte=x", correlationId: expect.any(String) },
    });
  });

  test.each([{ client_id: "c" }, { request_uri: "urn:r" }, {}])("%j is refused as incomplete", (query) => {
    expect(reason(readAuthorize(arriving(query as Record<string, string>)))).toBe("request_invalid");
  });

  test("a repeated parameter is refused", () => {
    expect(refusal(readAuthorize(arriving("client_id=a&client_id=b&request_uri=c")))).toMatch("parameter_repeated");
  });
});

describe("callback", () => {
  test("a code with its state", () => {
    expect(readCallback(arriving({ code: "entra.code", state: "s", session_state: "x" }))).toEqual({
      ok: true,
      value: { cookieHeader: "__Host-gte=x", state: "s", outcome: { kind: "code", code: "entra.code" } },
    });
  });

  test("an error with its description and subcode", () => {
    const query = { error: "access_denied", error_description: "AADSTS65004", error_subcode: "cancel", state: "s" };
    expect(readCallback(arriving(query))).toMatchObject({
      value: {
        outcome: { kind: "error", error: "access_denied", description: "AADSTS65004", subcode: "cancel" },
      },
    });
  });

  test.each<[string, string]>([
    ["no state", "code=c"],
    ["neither code nor error", "state=s"],
    ["both code and error", "state=s&code=c&error=e"],
    ["two codes (SEC-8)", "state=s&code=c&code=d"],
    ["a code over the limit", `state=s&code=${"c".repeat(4_097)}`],
  ])("%s is refused", (_name, query) => {
    expect(reason(readCallback(arriving(query)))).toBe("answer_invalid");
  });
});

test("a sign-in link is the last part of the path, and it is empty without one", () => {
  expect(readLink(incoming({ params: { link: "sealed" }, headers: COOKIE }))).toMatchObject({
    link: "sealed",
    cookieHeader: "__Host-gte=x",
  });
  expect(readLink(incoming())).toMatchObject({ link: "", cookieHeader: "" });
});

test("the confirmation page reads the confirmation from the query", () => {
  expect(readConfirmationPage(arriving({ transaction: "t" }))).toEqual({ id: "t", cookieHeader: "__Host-gte=x" });
  expect(readConfirmationPage(arriving({}))).toMatchObject({ id: "" });
});

describe("the form of the confirmation page", () => {
  const answer = { transaction: "t", token: "f", decision: "allow" };
  const samePage = { "sec-fetch-site": "same-origin", origin: SERVICE, ...COOKIE };

  test("approval and denial are read", async () => {
    expect(await readConfirmationForm(form(answer, samePage), SERVICE)).toEqual({
      ok: true,
      value: { id: "t", formToken: "f", allowed: true, cookieHeader: "__Host-gte=x" },
    });
    const denied = await readConfirmationForm(form({ ...answer, decision: "deny" }, samePage), SERVICE);
    expect(denied).toMatchObject({ value: { allowed: false } });
  });

  test("a missing field is an empty text, which never matches", async () => {
    const read = await readConfirmationForm(form({ decision: "allow" }, samePage), SERVICE);
    expect(read).toMatchObject({ value: { id: "", formToken: "" } });
  });

  test.each<[string, Record<string, string>, boolean]>([
    ["the service's page", samePage, true],
    [
      "the service's page with origin null, because it sends no referrer",
      { "sec-fetch-site": "same-origin", origin: "null" },
      true,
    ],
    ["the service's page without an origin", { "sec-fetch-site": "same-origin" }, true],
    ["an older browser", { origin: SERVICE }, true],
    ["another site", { "sec-fetch-site": "cross-site", origin: "https://evil.example" }, false],
    ["another site without an origin", { "sec-fetch-site": "cross-site" }, false],
    ["a site on the same domain", { "sec-fetch-site": "same-site", origin: "https://other.gte.example" }, false],
    ["the address bar", { "sec-fetch-site": "none" }, false],
    [
      "another origin that claims to be the same",
      { "sec-fetch-site": "same-origin", origin: "https://evil.example" },
      false,
    ],
    ["an older browser on another site", { origin: "https://evil.example" }, false],
    ["an older browser in a sandbox", { origin: "null" }, false],
    ["an unknown place, without both headers", {}, false],
    ["an origin with the same prefix", { origin: `${SERVICE}.evil.example` }, false],
  ])("a form from %s is accepted: %s", async (_name, headers, isAccepted) => {
    const read = await readConfirmationForm(form(answer, headers), SERVICE);
    expect(reason(read)).toBe(isAccepted ? undefined : "form_forged");
  });

  test.each(["maybe", ""])("a decision %j is refused", async (decision) => {
    expect(reason(await readConfirmationForm(form({ ...answer, decision }, samePage), SERVICE))).toBe("form_forged");
  });

  test("JSON is refused", async () => {
    const request = incoming({ headers: { ...samePage, "content-type": "application/json" }, body: "{}" });
    expect(refusal(await readConfirmationForm(request, SERVICE))).toBe("media_type_unsupported");
    expect(FORM_TYPE).toBe("application/x-www-form-urlencoded");
  });
});
