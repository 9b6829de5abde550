/**
 * A browser made of fetch, with cookies, forms and buttons. It uses the element ids that the pages document. It does not
 * follow redirects, so that a test sees the address of each redirect.
 */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  /** The address of the redirect. */
  readonly location: URL | undefined;
  /** The text of the element with this id. Undefined if the page has no such element. */
  text(id: string): string | undefined;
  /** Presses the button with this id and posts the form's fields and these values by id. */
  press(id: string, values?: Readonly<Record<string, string>>): Promise<Page>;
}

export interface ScriptedBrowser {
  open(url: string): Promise<Page>;
  readonly cookies: Map<string, string>;
}

interface Request {
  readonly url: string;
  readonly method: string;
  readonly body?: URLSearchParams;
}

export function createScriptedBrowser(): ScriptedBrowser {
  const cookies = new Map<string, string>();
  const send = async ({ url, method, body }: Request): Promise<Page> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = cookie === "" ? {} : { cookie };
    const response = await fetch(url, { method, headers, redirect: "manual", ...(body && { body }) });
    for (const line of response.headers.getSetCookie()) keep(cookies, line);
    const location = response.headers.get("location");
    const html = await response.text();
    return {
      url,
      status: response.status,
      html,
      location: location === null ? undefined : new URL(location, url),
      text: (id) => textOf(html, id),
      press: (id, values = {}) => send(requestOf({ url, html }, id, values)),
    };
  };
  return { open: (url) => send({ url, method: "GET" }), cookies };
}

function keep(cookies: Map<string, string>, line: string): void {
  const [pair = ""] = line.split(";");
  const [name = "", value = ""] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
  if (value === "") cookies.delete(name);
  else cookies.set(name, value);
}

/** The form around the button: its hidden fields, the name and value of the button, and the entered values. */
function requestOf(page: { url: string; html: string }, id: string, values: Readonly<Record<string, string>>): Request {
  const forms = page.html.match(/<form[\s\S]*?<\/form>/g) ?? [];
  const form = forms.find((one) => one.includes(`id="${id}"`));
  if (form === undefined) throw new Error(`no button #${id} on:\n${page.html}`);
  const body = new URLSearchParams();
  for (const [tag] of form.matchAll(/<input[^>]*>/g)) {
    const name = attribute(tag, "name");
    const value = values[attribute(tag, "id") ?? ""] ?? attribute(tag, "value");
    if (name !== undefined && value !== undefined) body.append(name, value);
  }
  const button =
    [...form.matchAll(/<button[^>]*>/g)].map(([tag]) => tag).find((tag) => attribute(tag, "id") === id) ?? "";
  const name = attribute(button, "name");
  if (name !== undefined) body.append(name, attribute(button, "value") ?? "");
  return { url: new URL(attribute(form, "action") ?? "", page.url).href, method: "POST", body };
}

function attribute(tag: string, name: string): string | undefined {
  const value = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : decode(value);
}

function textOf(html: string, id: string): string | undefined {
  const inner = new RegExp(`<(\\w+)[^>]*\\sid="${id}"[^>]*>([\\s\\S]*?)</\\1>`).exec(html)?.[2];
  return inner === undefined ? undefined : decode(inner.replace(/<[^>]+>/g, "")).trim();
}

function decode(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}
