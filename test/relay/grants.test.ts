/** A grant does through the relay what its person approved, and no more. */
import { beforeEach, describe, expect, test } from "vitest";
import { newBrowser } from "../sign-in/support/browser.ts";
import { answerConfirmation, requestLink, signInByLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, userToken } from "../support/callers.ts";
import { useWorld } from "../support/use-world.ts";
import { relaySettings } from "./support/relay-policy.ts";

const { world, service, restart } = useWorld();

const RULES = [
  { methods: ["GET"], path: "/v1.0/me" },
  { methods: ["GET", "PATCH"], path: "/v1.0/me/messages/**" },
  { methods: ["POST"], path: "/v1.0/me/sendMail" },
];
const SEND = "/DownstreamApi/graph/v1.0/me/sendMail";
const mail = { json: { message: { subject: "Hi" } } };

function daemonHas(release: "token" | "none") {
  const daemon = { release, downstream: { graph: RULES } };
  restart({ settings: relaySettings(world.tenant.url, RULES, { daemon }) });
}

/** A grant by a link of the daemon, and the page that alice approved. */
async function approve() {
  const browser = newBrowser(service);
  const { link, handle } = await requestLink(service);
  const back = await signInByLink(service, browser, { link });
  const page = (await browser.open(back.headers.get("location") ?? "")).text;
  await answerConfirmation(browser, back);
  return { page, headers: { ...bearer(appToken(world, { client: "daemon" })), "x-grant": handle } };
}

const sent = () => world.tenant.state.log.entries({ endpoint: "graph" });

beforeEach(() => world.tenant.state.reset());

describe("a scope that is consented after the approval", () => {
  test.each(["token", "none"] as const)("stops a grant of an entry with release %s", async (release) => {
    daemonHas(release);
    const { page, headers } = await approve();
    expect(page).not.toContain("Mail.Send");
    expect((await service.call("/DownstreamApi/graph/v1.0/me", { headers })).status).toBe(200);
    world.tenant.state.addConsent({ user: "alice", scopes: ["Mail.Send"] });
    // A new instance has no cached token.
    daemonHas(release);
    world.tenant.state.clearLog();
    const answer = await service.call(SEND, { headers, ...mail });
    expect([answer.status, answer.json()["code"]]).toEqual([500, "scope_surplus"]);
    expect(sent()).toEqual([]);
  });

  test("harms no caller without a grant", async () => {
    daemonHas("none");
    world.tenant.state.addConsent({ user: "alice", scopes: ["Mail.Send"] });
    expect((await service.call(SEND, { headers: bearer(userToken(world)), ...mail })).status).toBe(202);
  });
});

test("the page of an entry without release shows every scope and every rule, and approval covers them", async () => {
  world.tenant.state.addConsent({ user: "alice", scopes: ["Mail.Send"] });
  daemonHas("none");
  const { page, headers } = await approve();
  expect(page).toContain('<li>Send mail as you <code class="quiet">Mail.Send</code></li>');
  expect(page).toContain("<li>read <code>/v1.0/me</code></li>");
  expect(page).toContain("<li>read, change <code>/v1.0/me/messages/**</code></li>");
  expect(page).toContain("<li>create or send <code>/v1.0/me/sendMail</code></li>");
  expect((await service.call(SEND, { headers, ...mail })).status).toBe(202);
});
