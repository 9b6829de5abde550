/**
 * A browser for the demo: keeps the service's cookies, and at Entra lets the local tenant's control operation go through
 * the sign-in pages as a person would.
 */
import type { LocalResponse } from "../caller/local-request.ts";
import { check, type Demo } from "./demo-step.ts";

export interface DemoBrowser {
  open(target: string, form?: Record<string, string>): Promise<LocalResponse>;
  /** The person signs in on Entra's pages; the answer is where Entra sends the browser. */
  signInAtEntra(departure: LocalResponse, user: string): Promise<string>;
}

export function createDemoBrowser(demo: Demo): DemoBrowser {
  const jar = new Map<string, string>();
  return {
    open: async (target, form) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const { serviceUrl } = demo.environment;
      const headers = {
        ...(cookie === "" ? {} : { cookie }),
        ...(form === undefined ? {} : { origin: serviceUrl, "sec-fetch-site": "same-origin" }),
      };
      const response = await demo.ask(target, { headers, ...(form && { form }) });
      keepCookies(jar, response);
      return response;
    },
    signInAtEntra: async (departure, user) => {
      demo.say(`(${user} signs in on Entra's pages, meets what they ask, and consents)`);
      const answer = await demo.control("signIn", { url: locationOf(departure), user });
      return String((answer as { location: unknown }).location);
    },
  };
}

export function locationOf({ status, headers }: LocalResponse): string {
  const { location } = headers;
  check(status >= 300 && status < 400 && typeof location === "string", `a redirect, got ${status}`);
  return location;
}

/** The hidden fields of a page's form. */
export function hiddenFields(page: LocalResponse): Record<string, string> {
  const fields = page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value]));
}

function keepCookies(jar: Map<string, string>, { headers }: LocalResponse): void {
  const lines = headers["set-cookie"];
  for (const line of Array.isArray(lines) ? lines : []) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "" || /max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}
