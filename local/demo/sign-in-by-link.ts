/**
 * What a user does with a sign-in link: opens it, signs in at Entra, reads the question, allows.
 */
import { createDemoBrowser, hiddenFields, locationOf } from "./demo-browser.ts";
import { check, checkStatus, type Demo } from "./demo-step.ts";

/** Returns the handle, which only the last page shows. */
export async function signInByLink(demo: Demo, link: string, user: string): Promise<string> {
  const browser = createDemoBrowser(demo);
  const redirect = await browser.open(link);
  const callback = await browser.open(await browser.signInAtEntra(redirect, user));
  const question = await browser.open(locationOf(callback));
  checkStatus(question, 200);
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  checkStatus(done, 200);
  const handle = /gte_[\w-]{43}/.exec(done.text)?.[0];
  check(handle !== undefined, "a handle on the page");
  return handle;
}
