/**
 * A browser for the demo. It stores the service's cookies. On Entra's pages, the local tenant's control operation `signIn`
 * does what a user would do.
 */
import type { LocalResponse } from "../caller/local-request.ts";
import { check, type Demo } from "./demo-step.ts";

export interface DemoBrowser {
  open(target: string, form?: Record<string, string>): Promise<LocalResponse>;
  /** Signs the user in on Entra's pages and returns the address to which Entra redirects the browser. */
  signInAtEntra(redirect: LocalResponse, user: string): Promise<string>;
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
      storeCookies(jar, response);
      return response;
    },
    signInAtEntra: async (redirect, user) => {
      demo.say(`(${user} signs in on Entra's pages and consents)`);
      const answer = await demo.control("signIn", { url: locationOf(redirect), user });
      return String((answer as { location: unknown }).location);
    },
  };
}

export function locationOf({ status, headers }: LocalResponse): string {
  const { location } = headers;
  check(status >= 300 && status < 400 && typeof location === "string", `a redirect, got ${status}`);
  return location;
}

/** Reads the hidden fields of a page's form. */
export function hiddenFields(page: LocalResponse): Record<string, string> {
  const fields = page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value]));
}

function storeCookies(jar: Map<string, string>, { headers }: LocalResponse): void {
  const lines = headers["set-cookie"];
  for (const line of Array.isArray(lines) ? lines : []) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (value === "" || /max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}
