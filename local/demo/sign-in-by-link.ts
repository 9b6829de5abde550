/**
 * What a user does with a sign-in link: opens it, signs in at Entra, reads the question, allows.
 */
import { createDemoBrowser, hiddenFields, locationOf } from "./demo-browser.ts";
import { check, checkStatus, type Demo } from "./demo-step.ts";

/** No page shows the handle: the application has it already. */
export async function signInByLink(demo: Demo, link: string, user: string): Promise<void> {
  const browser = createDemoBrowser(demo);
  const redirect = await browser.open(link);
  const callback = await browser.open(await browser.signInAtEntra(redirect, user));
  const question = await browser.open(locationOf(callback));
  checkStatus(question, 200);
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  checkStatus(done, 200);
  check(!done.text.includes("gte_"), "no handle on the page");
}
