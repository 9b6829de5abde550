/**
 * A browser without a screen: it stores cookies and calls the service's real handlers. It does not follow redirects to
 * Entra or to the application.
 */
import type { Answer, Call, ServiceUnderTest } from "../../support/service-under-test.ts";

export interface Browser {
  /** Name and value of each stored cookie. */
  readonly jar: Map<string, string>;
  open(path: string, call?: Call): Promise<Answer>;
  /** Sends a form as a browser does from a page of the service. */
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

/** The `Cookie` header of the browser, for a request that does not go through `open`. */
export function cookiesOf({ jar }: Pick<Browser, "jar">): string {
  return [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
}

/** Path and query of an absolute URL of the service, as `open` accepts it. */
export function pathOf(url: string): string {
  const { pathname, search } = new URL(url, "http://localhost:7071");
  return pathname + search;
}

/** The target of a page's automatic redirect. */
export function leadsTo(text: string): string {
  const [, url = "none:"] = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(text) ?? [];
  return url.replaceAll("&amp;", "&").replaceAll("&#39;", "'");
}

/** The hidden fields of a page's form. */
export function hiddenFields(text: string): Record<string, string> {
  const fields = text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g);
  return Object.fromEntries([...fields].map(([, name = "", value = ""]) => [name, value]));
}
