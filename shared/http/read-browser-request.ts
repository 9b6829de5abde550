/**
 * What browsers bring: to `/oauth2/authorize`, `/oauth2/callback`, `/signin/{link}` and the confirmation page. Read
 * from the URL, the `Cookie` header and one small form; nothing is trusted here, and nothing of it is logged.
 */

import type { Failure, SignInRefusal } from "../core/failure.ts";
import { ENTRA_CODE_MAX_CHARACTERS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { AuthorizeRequest, OpenLinkRequest } from "../sign-in/begin-sign-in.ts";
import type { ConfirmationForm } from "../sign-in/confirm-grant.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { collect, type Parameters, readForm } from "./read-body.ts";
import { readCorrelationId } from "./read-token-parameters.ts";

/** Entra's answer, its error not yet read. */
export interface Callback {
  readonly cookieHeader: string;
  readonly state: string;
  readonly outcome:
    | { readonly kind: "code"; readonly code: string }
    | {
        readonly kind: "error";
        readonly error: string;
        readonly description: string | undefined;
        readonly subcode: string | undefined;
      };
}

export function readAuthorize(request: IncomingRequest): Result<AuthorizeRequest, Failure> {
  const query = readQuery(request);
  if (!query.ok) return query;
  // RFC 9101 section 5: only these two count; whatever else is in the URL is not part of the request.
  const clientId = one(query.value, "client_id");
  const requestUri = one(query.value, "request_uri");
  return clientId === undefined || requestUri === undefined
    ? refuse("request_invalid")
    : succeed({ clientId, requestUri, ...browserRequest(request) });
}

export function readLink(request: IncomingRequest): OpenLinkRequest {
  return { link: request.params["link"] ?? "", ...browserRequest(request) };
}

export function readCallback(request: IncomingRequest): Result<Callback, Failure> {
  const query = readQuery(request);
  const state = query.ok ? one(query.value, "state") : undefined;
  const outcome = query.ok ? readOutcome(query.value) : undefined;
  return state === undefined || outcome === undefined
    ? refuse("answer_invalid")
    : succeed({ cookieHeader: browserRequest(request).cookieHeader, state, outcome });
}

/** A code or an error, never both. */
function readOutcome(query: Parameters): Callback["outcome"] | undefined {
  const code = one(query, "code");
  const error = one(query, "error");
  if (code !== undefined) {
    return error === undefined && code.length <= ENTRA_CODE_MAX_CHARACTERS ? { kind: "code", code } : undefined;
  }
  const [description, subcode] = [one(query, "error_description"), one(query, "error_subcode")];
  return error === undefined ? undefined : { kind: "error", error, description, subcode };
}

/** Which confirmation the browser means, and its cookies. */
export function readConfirmationPage(request: IncomingRequest): { readonly id: string; readonly cookieHeader: string } {
  const id = new URL(request.url).searchParams.get("transaction") ?? "";
  return { id, cookieHeader: browserRequest(request).cookieHeader };
}

/** The form of the confirmation page, and only from that page: another site's form is refused before it is read. */
export async function readConfirmationForm(
  request: IncomingRequest,
  serviceUrl: string,
): Promise<Result<ConfirmationForm & { readonly cookieHeader: string }, Failure>> {
  if (!isFromOurPage(request, serviceUrl)) return refuse("form_forged");
  const form = await readForm(request, []);
  if (!form.ok) return form;
  const decision = one(form.value, "decision");
  if (decision !== "allow" && decision !== "deny") return refuse("form_forged");
  return succeed({
    id: one(form.value, "transaction") ?? "",
    formToken: one(form.value, "token") ?? "",
    allowed: decision === "allow",
    cookieHeader: browserRequest(request).cookieHeader,
  });
}

/**
 * Browsers say where a form comes from. `Sec-Fetch-Site` is the plain word; `Origin` is for those that do not send it,
 * and is `null` from our own pages, because `Referrer-Policy: no-referrer` also silences it (Fetch section 3.2).
 */
function isFromOurPage({ headers }: IncomingRequest, serviceUrl: string): boolean {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (origin !== null && origin !== "null" && origin !== serviceUrl) return false;
  return site === null ? origin === serviceUrl : site === "same-origin";
}

function readQuery(request: IncomingRequest): Result<Parameters, Failure> {
  return collect(new URL(request.url).searchParams, []);
}

function browserRequest(request: IncomingRequest) {
  return { cookieHeader: request.headers.get("cookie") ?? "", correlationId: readCorrelationId(request) };
}

function one(parameters: Parameters, name: string): string | undefined {
  return parameters.get(name)?.[0];
}

function refuse(reason: SignInRefusal) {
  return fail({ kind: "sign_in_refused", reason } as const);
}
