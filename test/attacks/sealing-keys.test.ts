/** Strangers choose the key id in a link. Invented ids are the stranger's mistake, not a failure of the vault. */
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { newBrowser } from "../sign-in/support/browser.ts";
import { createLink } from "../sign-in/support/sign-in.ts";
import { useWorld } from "../support/use-world.ts";

const { world, clock, service } = useWorld();

const SEALING_KEY = "sealing-key";
const SECOND = 1_000;

/** A link of the exact form that the service writes, with a key id that the vault does not have. */
function forgedLink(): string {
  const kid = randomBytes(16).toString("hex");
  const header = { alg: "dir", enc: "A256GCM", kid, typ: "gte-signin-link+jwe" };
  const part = (bytes: number) => randomBytes(bytes).toString("base64url");
  return `/signin/${Buffer.from(JSON.stringify(header)).toString("base64url")}..${part(12)}.${part(300)}.${part(16)}`;
}

describe("links with invented key ids", () => {
  test("50 links a minute get 400, and no event of the service is a failure", async () => {
    for (let count = 0; count < 50; count += 1) {
      const answer = await newBrowser(service).open(forgedLink());
      expect(answer.status).toBe(400);
      expect(service.lastEvent()).toMatchObject({ outcome: "refused", code: "signin_link_invalid" });
      clock.advance(SECOND);
    }
  });

  test("a link that is sealed with a new key opens within six seconds on an instance that does not know the key", async () => {
    const other = world.serve();
    await newBrowser(other).open(await createLink(other));
    world.tenant.state.setSecret({ name: SEALING_KEY, value: randomBytes(32).toString("base64") });
    const link = await createLink(world.serve());
    let status = 0;
    for (let seconds = 0; seconds < 6 && status !== 303; seconds += 1) {
      for (let count = 0; count < 20; count += 1) await newBrowser(other).open(forgedLink());
      status = (await newBrowser(other).open(link)).status;
      clock.advance(SECOND);
    }
    expect(status).toBe(303);
  });
});
