/** Makes requests and answers readable: shortens every secret, formats JSON, decodes tokens. */
import type { LocalResponse } from "../../caller/local-request.ts";
import { decodeClaims, shortenToken, shortenTokens } from "../../caller/show-token.ts";
import { CLIENT_IDS, RESOURCE_URIS } from "../../tenant/directory/seed-ids.ts";
import type { ShownPart, ShownToken } from "./trace.ts";

/** A request with its values filled in. */
export interface FilledRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export function showRequest({ method, url, headers, form, json }: FilledRequest): ShownPart {
  const { pathname, search } = new URL(url);
  const shownForm = Object.entries(form ?? {}).map(([name, value]) => `${name}=${showValue(name, value)}`);
  return {
    line: `${method} ${shorten(decodeURI(pathname + search))}`,
    headers: Object.entries(headers).map(([name, value]) => [headerName(name), shorten(value)]),
    body: json === undefined ? shownForm.join("\n") : showJson(json),
  };
}

export function showResponse({ status, headers, text }: LocalResponse): ShownPart {
  const shown = SHOWN_HEADERS.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[headerName(name), shorten(String(value))] as const];
  });
  return { line: String(status), headers: shown, body: showBody(text) };
}

/** The JWTs in a text, each once. */
export function tokensIn(...texts: readonly string[]): readonly ShownToken[] {
  const found = new Set(texts.flatMap((text) => text.match(/eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+/g) ?? []));
  return [...found].map((token) => {
    const claims = decodeClaims(token);
    return { title: titleOf(claims), text: shortenToken(token), header: decodePart(token, 0), claims };
  });
}

// ---------------------------------------------------------------------------------------------------------------

const SHOWN_HEADERS = ["content-type", "location", "www-authenticate", "retry-after", "via", "cache-control"];
const SECRETS = /^(client_secret|password|code|code_verifier|device_code|refresh_token|grant|assertion|subject_token)$/;
const LONGEST_BODY = 6_000;

function showValue(name: string, value: string): string {
  if (name === "password" || name === "client_secret") return "…";
  return SECRETS.test(name) ? shortenToken(value) : shorten(value);
}

/** Tokens and handles, and the long random parts of addresses. */
function shorten(text: string): string {
  return shortenTokens(text).replaceAll(
    /(?<=[?&](?:code|state|session_state|code_challenge)=)[^&\s]{24,}/g,
    shortenToken,
  );
}

function showBody(text: string): string {
  if (/^\s*<!doctype/i.test(text)) return `(page: ${/<title>([^<]*)<\/title>/.exec(text)?.[1] ?? ""})`;
  try {
    return showJson(JSON.parse(text));
  } catch {
    return shorten(text).slice(0, LONGEST_BODY);
  }
}

function showJson(value: unknown): string {
  const text = JSON.stringify(
    value,
    (name, member) => (typeof member === "string" ? showValue(name, member) : member),
    2,
  );
  return text.length > LONGEST_BODY ? `${text.slice(0, LONGEST_BODY)}\n…` : text;
}

function headerName(name: string): string {
  return name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase()).replace("Www-", "WWW-");
}

function titleOf({ aud, oid, idtyp }: Record<string, unknown>): string {
  const subject = oid === undefined || idtyp === "app" ? "application" : "person";
  if (aud === RESOURCE_URIS.graph || aud === CLIENT_IDS.graph) return `Token for Graph (${subject})`;
  return `Token for the service (${subject})`;
}

function decodePart(token: string, index: number): Record<string, unknown> {
  const part = token.split(".")[index] ?? "";
  return decodeClaims(`.${part}.`);
}
