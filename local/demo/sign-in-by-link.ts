/**
 * What a person does with a sign-in link: opens it, signs in at Entra, reads the question, says yes.
 */
import { createDemoBrowser, hiddenFields, locationOf } from "./demo-browser.ts";
import { check, checkStatus, type Demo } from "./demo-step.ts";

/** The handle that the last page shows, this one time. */
export async function signInByLink(demo: Demo, link: string, user: string): Promise<string> {
  const browser = createDemoBrowser(demo);
  const departure = await browser.open(link);
  const arrival = await browser.open(await browser.signInAtEntra(departure, user));
  const question = await browser.open(locationOf(arrival));
  checkStatus(question, 200);
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  checkStatus(done, 200);
  const handle = /gte_[\w-]{43}/.exec(done.text)?.[0];
  check(handle !== undefined, "a handle on the page");
  return handle;
}
