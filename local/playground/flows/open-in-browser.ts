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

export interface LinkOutcome extends Outcome {
  /** The person allowed it now. */
  readonly isAllowed: boolean;
}

/** Opens a sign-in link, signs in, reads the question, allows. */
export async function allowByLink(play: Play, link: string): Promise<LinkOutcome> {
  const browser = openInBrowser(play);
  const atEntra = await browser.open(link);
  if (!isRedirect(atEntra)) return withoutQuestion(atEntra);
  const callback = await browser.open(await browser.signInAtEntra(atEntra));
  const question = isRedirect(callback) ? await browser.open(String(callback.headers["location"])) : callback;
  if (question.status !== 200) return withoutQuestion(question);
  const done = await browser.open("/signin/confirm", { ...hiddenFields(question), decision: "allow" });
  if (done.status !== 200) return withoutQuestion(done);
  const text = `${play.person.givenName} allowed it. No page showed the handle: Nightly Job has it already.`;
  return { text, succeeded: true, isAllowed: true };
}

// ---------------------------------------------------------------------------------------------------------------

/** The heading of the page that the service shows after an answered link. */
const ANSWERED = "This link is no longer valid";

function withoutQuestion({ text: page, status }: LocalResponse): LinkOutcome {
  const heading = /<h1>([^<]*)<\/h1>/.exec(page)?.[1] ?? `the status ${status}`;
  const isAnswered = heading === ANSWERED;
  const text = isAnswered
    ? "This link has been answered. Press “Use it”."
    : `The service showed “${heading}” instead of the question.`;
  return { text, succeeded: isAnswered, isAllowed: false };
}

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
