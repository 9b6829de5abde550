/** A link that lives for a day (`linkMinutes: 1440`): the SDKs' own tokens expire meanwhile as well. */
import { expect, test } from "vitest";
import { appToken, bearer, claimsOf, USER_IDS } from "../support/callers.ts";
import { DAY, MINUTE } from "../support/movable-clock.ts";
import { policyWithEntries } from "../support/policies.ts";
import { useWorld } from "../support/use-world.ts";
import { newBrowser } from "./support/browser.ts";
import { answerLink, requestLink } from "./support/sign-in.ts";

const settings = { POLICY: policyWithEntries({ daemon: { linkMinutes: 1440 } }) };
const { clock, service } = useWorld({ settings, movesDate: true });

test("a link with linkMinutes 1440 is answered a minute before its day ends, and its handle works", async () => {
  const { link, handle } = await requestLink(service);
  clock.advance(DAY - MINUTE);
  expect((await answerLink(service, link)).status).toBe(200);
  const headers = bearer(appToken(service, { client: "daemon" }));
  const redeemed = await service.call("/AuthorizationHeader/graph", { headers, json: { grant: handle } });
  expect(redeemed.status).toBe(200);
  const token = String(redeemed.json()["authorizationHeader"]).slice("Bearer ".length);
  expect(claimsOf(token)).toMatchObject({ oid: USER_IDS.alice });
});

test("a link with linkMinutes 1440 has expired a minute after its day", async () => {
  const { link } = await requestLink(service);
  clock.advance(DAY + MINUTE);
  const opened = await newBrowser(service).open(link);
  expect(opened.status).toBe(400);
  expect(opened.text).toContain("This link has expired");
});
