/**
 * Reads a token request as Entra does: the form, the client id and the secret, without validation.
 */
import { EntraError, entraError } from "../errors/entra-error.ts";

export type Form = ReadonlyMap<string, string>;

/** Parses a form-encoded body. Empty values count as absent. A repeated parameter is 9000411. */
export function parseForm(contentType: string | undefined, body: string): Form {
  const isForm = contentType?.toLowerCase().startsWith("application/x-www-form-urlencoded");
  return isForm ? toForm(new URLSearchParams(body)) : new Map();
}

export function toForm(params: URLSearchParams): Form {
  const form = new Map<string, string>();
  for (const [name, value] of params) {
    if (form.has(name)) throw entraError(9000411, { parameter: name });
    if (value !== "") form.set(name, value);
  }
  return form;
}

export function required(form: Form, parameter: string): string {
  const value = form.get(parameter);
  if (value === undefined) throw entraError(900144, { parameter });
  return value;
}

export interface PresentedClient {
  clientId: string | undefined;
  secret: string | undefined;
}

/** Reads `client_secret_post` or `client_secret_basic` (RFC 6749 section 2.3.1: both parts are form-encoded). */
export function presentedClient(form: Form, authorization: string | undefined): PresentedClient {
  const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  if (basic === undefined) return { clientId: form.get("client_id"), secret: form.get("client_secret") };
  const text = Buffer.from(basic, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) throw new EntraError(90013);
  const [clientId, secret] = [text.slice(0, colon), text.slice(colon + 1)].map(decodeFormPart);
  return { clientId, secret };
}

function decodeFormPart(part: string): string {
  return new URLSearchParams(`x=${part}`).get("x") ?? "";
}
