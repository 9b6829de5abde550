/**
 * A browser without a screen: keeps cookies, and goes to the service by its real handlers. What is beyond the service
 * (Entra, the application) it only looks at.
 */
import type { Answer, Call, ServiceUnderTest } from "../../support/service-under-test.ts";

export interface Browser {
  /** Name and value of each cookie held. */
  readonly jar: Map<string, string>;
  open(path: string, call?: Call): Promise<Answer>;
  /** As a browser sends the form of a page that it got from the service. */
  submit(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Answer>;
}

export function newBrowser(service: ServiceUnderTest): Browser {
  const jar = new Map<string, string>();
  const open = async (path: string, call: Call = {}) => {
    const cookie = cookiesOf({ jar });
    const headers = { ...(cookie === "" ? {} : { cookie }), ...call.headers };
    const answer = await service.call(path, { ...call, headers });
    for (const { name, value, maxAge } of answer.cookies) {
      if (maxAge === 0) {
        jar.delete(name);
      } else {
        jar.set(name, value);
      }
    }
    return answer;
  };
  return {
    jar,
    open,
    submit: (path, form, headers = { "sec-fetch-site": "same-origin", origin: "null" }) =>
      open(path, { form, headers }),
  };
}

/** What the browser would send, for whoever sends it another way. */
export function cookiesOf({ jar }: Pick<Browser, "jar">): string {
  return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
}

/** Path and query of an absolute URL of the service's, as `open` takes it. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url, "http://localhost:7071");
  return pathname + search;
}

/** Where a page leads on to by itself. */
export function leadsTo(text: string): string {
  const [, url = "none:"] = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(text) ?? [];
  return url.replaceAll("&amp;", "&").replaceAll("&#39;", "'");
}

/** The hidden fields of a page's form. */
export function hiddenFields(text: string): Record<string, string> {
  const fields = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value]));
}
