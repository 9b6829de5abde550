/** The person's browser: it keeps the service's cookies. On Entra's pages the local tenant does what the person would do. */
import type { LocalResponse } from "../../caller/local-request.ts";
import { hiddenFields } from "../../demo/demo-browser.ts";
import type { Outcome, Play } from "./flow.ts";

export interface PlayBrowser {
  open(target: string, form?: Readonly<Record<string, string>>): Promise<LocalResponse>;
  /** The address to which Entra sends the browser. */
  signInAtEntra(redirect: LocalResponse): Promise<string>;
}

export function openInBrowser(play: Play): PlayBrowser {
  const jar = new Map<string, string>();
  return {
    open: async (target, form) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await play.send({
        from: "person",
        target,
        title: titleOf(target, form),
        headers: {
          ...(cookie === "" ? {} : { cookie }),
          ...(form && { origin: play.environment.serviceUrl, "sec-fetch-site": "same-origin" }),
        },
        ...(form && { form }),
      });
      keepCookies(jar, response);
      return response;
    },
    signInAtEntra: async ({ headers }) => {
      play.note(`${play.person.givenName} signs in on Entra’s pages and consents where Entra asks.`);
      return play.tenant.signIn({ url: String(headers["location"]), user: play.person.name }).location;
    },
  };
}

/** Opens a sign-in link, signs in, reads the question, allows. */
export async function allowByLink(play: Play, link: string): Promise<Outcome> {
  const browser = openInBrowser(play);
  const atEntra = await browser.open(link);
  if (!isRedirect(atEntra)) return { text: "The link is no longer valid.", succeeded: false };
  const callback = await browser.open(await browser.signInAtEntra(atEntra));
  const question = isRedirect(callback) ? await browser.open(String(callback.headers["location"])) : callback;
  if (question.status !== 200) return { text: "The sign-in ended without a question.", succeeded: false };
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  return done.status === 200
    ? {
        text: `${play.person.givenName} allowed it. No page showed the handle: the flow has it already.`,
        succeeded: true,
      }
    : { text: "The confirmation was refused.", succeeded: false };
}

// ---------------------------------------------------------------------------------------------------------------

function isRedirect({ status, headers }: LocalResponse): boolean {
  return status >= 300 && status < 400 && headers["location"] !== undefined;
}

function titleOf(target: string, form: object | undefined): string {
  if (form !== undefined) return "chooses Allow";
  if (target.includes("/oauth2/callback")) return "returns from Entra";
  if (target.includes("/signin/confirm")) return "reads the question";
  return target.includes("/signin/") ? "opens the link" : "goes to the sign-in";
}

function keepCookies(jar: Map<string, string>, { headers }: LocalResponse): void {
  const lines = headers["set-cookie"];
  for (const line of Array.isArray(lines) ? lines : []) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "" || /max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}
