/** `requireConfirmation`: the confirmation page before a code without `offline_access`. */
import { describe, expect, test } from "vitest";
import { appToken, bearer, CLIENT_IDS } from "../support/callers.ts";
import { policyWithEntries } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";
import { leadsTo, newBrowser } from "./support/browser.ts";
import {
  answerConfirmation,
  authorizePath,
  callbackPath,
  codeForm,
  entraCode,
  entraRequest,
  newPkce,
  parForm,
  push,
  redeem,
} from "./support/sign-in.ts";

const settings = { POLICY: policyWithEntries({ "web-backend": { requireConfirmation: true } }) };
const { world, service } = useWorld({ settings });

/** From the pushed request to the answer of the callback. */
async function toCallback(at = service) {
  const [pkce, browser] = [newPkce(), newBrowser(at)];
  const departure = await browser.open(authorizePath(await push(at, pkce)));
  const request = entraRequest(departure);
  const back = await browser.open(callbackPath({ code: entraCode(at, request), state: request["state"] ?? "" }));
  return { pkce, browser, back };
}

describe("a code without offline_access of an entry with requireConfirmation", () => {
  test("comes only after the page, which names the application and its scopes and no end", async () => {
    const { pkce, browser, back } = await toCallback();
    expect(back.headers.get("location")).toMatch(/^\/signin\/confirm/);
    const page = await browser.open(back.headers.get("location") ?? "");
    expect(page.text).toContain("The web application’s backend".replace("’", "&#39;"));
    expect(page.text).toContain(CLIENT_IDS.web);
    expect(page.text).toContain("until its access token expires");
    expect(page.text).toContain("Mail.Read");
    expect(page.text).not.toContain("Access ends on");
    expect(page.text).not.toContain("when you are not signed in");
    const allowed = await answerConfirmation(browser, back);
    const code = new URL(leadsTo(allowed.text)).searchParams.get("code") ?? "";
    const tokens = await redeem(service, codeForm(code, pkce));
    expect(tokens.json()).toMatchObject({ token_type: "Bearer" });
    expect(String(tokens.json()["scope"]).split(" ").sort()).toEqual(["Mail.Read", "User.Read"]);
    expect(tokens.json()).not.toHaveProperty("refresh_token");
  });

  test("does not come after a denial", async () => {
    const { browser, back } = await toCallback();
    const denied = await answerConfirmation(browser, back, "deny");
    const returned = new URL(leadsTo(denied.text)).searchParams;
    expect(returned.get("error")).toBe("access_denied");
    expect(returned.has("code")).toBe(false);
  });

  test("is refused with prompt=none when it is pushed", async () => {
    const form = parForm(newPkce(), { prompt: "none" });
    const answer = await service.call("/oauth2/par", { form, headers: bearer(appToken(world)) });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: "parameter_invalid" });
  });

  test("has a page even if no entry has grants", async () => {
    const POLICY = policyWithEntries({
      "web-backend": { requireConfirmation: true, offlineAccess: false, unattended: false },
      daemon: { offlineAccess: false, unattended: false },
    });
    const { browser, back } = await toCallback(world.serve({ settings: { POLICY } }));
    expect((await browser.open(back.headers.get("location") ?? "")).status).toBe(200);
  });
});

test("without requireConfirmation a code without offline_access comes without a page", async () => {
  const plain = world.serve();
  const { back } = await toCallback(plain);
  expect(new URL(back.headers.get("location") ?? "").searchParams.has("code")).toBe(true);
});
