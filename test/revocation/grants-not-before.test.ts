/** `grantsNotBefore` of the policy: grants that are too old are refused, and one answer of the person mends that. */
import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import { answerLink } from "../sign-in/support/sign-in.ts";
import { appToken, bearer, exchangeForm, userToken } from "../support/callers.ts";
import { policyWith } from "../support/policies.ts";
import type { ServiceUnderTest } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";

const SECOND = 1_000;
const { world, clock, service } = useWorld({ newServiceForEachTest: true });

const inSeconds = (seconds: number) => `${new Date(clock.nowMs() + seconds * SECOND).toISOString().slice(0, 19)}Z`;

/** The service with the member in the policy, or in the entry of the web application. */
const withCutOff = (grantsNotBefore: string, entry?: string): ServiceUnderTest => {
  const POLICY = policyWith((policy) => {
    const target = entry === undefined ? policy : policy.callers.find(({ name }) => name === entry);
    Object.assign(target ?? {}, { grantsNotBefore });
  });
  return world.serve({ settings: { POLICY } });
};

async function issue(at: ServiceUnderTest): Promise<string> {
  const form = exchangeForm(userToken(world), { scope: "User.Read Mail.Read offline_access" });
  return String((await at.call("/oauth2/token", { form, headers: bearer(appToken(world)) })).json()["refresh_token"]);
}

const redeem = (handle: string, at: ServiceUnderTest) =>
  at.call("/oauth2/token", {
    form: { grant_type: "refresh_token", refresh_token: handle },
    headers: bearer(appToken(world)),
  });

describe("grantsNotBefore", () => {
  test.each([[undefined], ["web-backend"]])("(%s) refuses an older grant, also from the cache", async (entry) => {
    const handle = await issue(service);
    expect((await redeem(handle, service)).status).toBe(200);
    clock.advance(2 * SECOND);
    const stricter = withCutOff(inSeconds(-1), entry);
    expect((await redeem(handle, stricter)).json()).toMatchObject({
      error: "invalid_grant",
      code: "grant_revoked",
      action: "sign_in",
      signin_url: expect.stringContaining("/signin/"),
    });
  });

  test("of another entry changes nothing", async () => {
    const handle = await issue(service);
    clock.advance(2 * SECOND);
    expect((await redeem(handle, withCutOff(inSeconds(-1), "daemon"))).status).toBe(200);
  });

  test("does not concern a grant that was allowed later", async () => {
    const stricter = withCutOff(inSeconds(-1));
    clock.advance(2 * SECOND);
    expect((await redeem(await issue(stricter), stricter)).status).toBe(200);
  });

  test("after one answer of the person, the same handle works again", async () => {
    const handle = await issue(service);
    clock.advance(2 * SECOND);
    const stricter = withCutOff(inSeconds(-1));
    const link = String((await redeem(handle, stricter)).json()["signin_url"]);
    clock.advance(2 * SECOND);
    expect((await answerLink(stricter, link)).status).toBe(200);
    expect((await redeem(handle, stricter)).status).toBe(200);
  });

  test("in the future has no effect until that time, so no link leads in a circle", async () => {
    const planned = withCutOff(inSeconds(60));
    const handle = await issue(planned);
    expect((await redeem(handle, planned)).status).toBe(200);
    clock.advance(61 * SECOND);
    expect((await redeem(handle, planned)).json()).toMatchObject({ code: "grant_revoked" });
  });

  test.each(["2027-01-31", "2027-01-31T12:00:00", "2027-01-31T12:00:00+01:00", "2027-13-31T12:00:00Z", "tomorrow", 7])(
    "as %s is refused by the check of the policy",
    (grantsNotBefore) => {
      const parsed = parsePolicy(policyWith((policy) => void Object.assign(policy, { grantsNotBefore })));
      expect(parsed).toMatchObject({ problems: [expect.objectContaining({ path: "grantsNotBefore" })] });
    },
  );
});
