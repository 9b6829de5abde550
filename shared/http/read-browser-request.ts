/**
 * Reads the requests of browsers: `/oauth2/authorize`, `/oauth2/callback`, `/signin/{link}` and the confirmation page.
 * The values come from the URL, the `Cookie` header and one small form. Nothing here trusts or logs them.
 */

import type { Failure, SignInRefusal } from "../core/failure.ts";
import { ENTRA_CODE_MAX_CHARACTERS } from "../core/limits.ts";
import { fail, type Result, succeed } from "../core/result.ts";
import type { AuthorizeRequest, OpenLinkRequest } from "../sign-in/begin-sign-in.ts";
import type { ConfirmationForm } from "../sign-in/confirm-grant.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { collectParameters, type Parameters, readForm, singleValue } from "./read-body.ts";
import { readCorrelationId } from "./read-token-parameters.ts";

/** Entra's response in the browser's URL. */
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
  // RFC 9101 section 5: other parameters in the URL are not part of the request.
  const clientId = singleValue(query.value, "client_id");
  const requestUri = singleValue(query.value, "request_uri");
  return clientId === undefined || requestUri === undefined
    ? signInRefused("request_invalid")
    : succeed({ clientId, requestUri, ...browserRequest(request) });
}

export function readLink(request: IncomingRequest): OpenLinkRequest {
  return { link: request.params["link"] ?? "", ...browserRequest(request) };
}

export function readCallback(request: IncomingRequest): Result<Callback, Failure> {
  const query = readQuery(request);
  const state = query.ok ? singleValue(query.value, "state") : undefined;
  const outcome = query.ok ? readOutcome(query.value) : undefined;
  return state === undefined || outcome === undefined
    ? signInRefused("answer_invalid")
    : succeed({ cookieHeader: browserRequest(request).cookieHeader, state, outcome });
}

/** The id of the confirmation in the URL, and the cookies. */
export function readConfirmationPage(request: IncomingRequest): { readonly id: string; readonly cookieHeader: string } {
  const id = new URL(request.url).searchParams.get("transaction") ?? "";
  return { id, cookieHeader: browserRequest(request).cookieHeader };
}

/** The form of the confirmation page. A form from another site is refused before its body is read. */
export async function readConfirmationForm(
  request: IncomingRequest,
  serviceUrl: string,
): Promise<Result<ConfirmationForm & { readonly cookieHeader: string }, Failure>> {
  if (!isSameOrigin(request, serviceUrl)) return signInRefused("form_forged");
  const form = await readForm(request, []);
  if (!form.ok) return form;
  const decision = singleValue(form.value, "decision");
  if (decision !== "allow" && decision !== "deny") return signInRefused("form_forged");
  return succeed({
    id: singleValue(form.value, "transaction") ?? "",
    formToken: singleValue(form.value, "token") ?? "",
    allowed: decision === "allow",
    cookieHeader: browserRequest(request).cookieHeader,
  });
}

/** The form of `/me`: end a grant, or sign out. */
export interface MyAccessForm {
  readonly cookieHeader: string;
  readonly formToken: string;
  /** Undefined: sign out. */
  readonly grantId: string | undefined;
}

/** The form of `/me`. A form from another site is refused before its body is read. */
export async function readMyAccessForm(
  request: IncomingRequest,
  serviceUrl: string,
): Promise<Result<MyAccessForm, Failure>> {
  if (!isSameOrigin(request, serviceUrl)) return signInRefused("session_form_forged");
  const form = await readForm(request, []);
  if (!form.ok) return form;
  const action = singleValue(form.value, "action");
  const grantId = singleValue(form.value, "grant");
  if (action === "end" ? grantId === undefined : action !== "leave") return signInRefused("session_form_forged");
  const formToken = singleValue(form.value, "token") ?? "";
  const { cookieHeader } = browserRequest(request);
  return succeed({ cookieHeader, formToken, grantId: action === "end" ? grantId : undefined });
}

/** `GET /me`. `after`: the cursor of a page, which the grant store checks. */
export function readMyAccess(request: IncomingRequest) {
  const after = new URL(request.url).searchParams.get("after");
  return { ...browserRequest(request), after: after === null || after === "" ? undefined : after };
}

// ------------------------------------------------------------------------------------------------------------------

function readQuery(request: IncomingRequest): Result<Parameters, Failure> {
  return collectParameters(new URL(request.url).searchParams, []);
}

function browserRequest(request: IncomingRequest) {
  return { cookieHeader: request.headers.get("cookie") ?? "", correlationId: readCorrelationId(request) };
}

/** A code or an error, never both. */
function readOutcome(query: Parameters): Callback["outcome"] | undefined {
  const code = singleValue(query, "code");
  const error = singleValue(query, "error");
  if (code !== undefined) {
    return error === undefined && code.length <= ENTRA_CODE_MAX_CHARACTERS ? { kind: "code", code } : undefined;
  }
  const [description, subcode] = [singleValue(query, "error_description"), singleValue(query, "error_subcode")];
  return error === undefined ? undefined : { kind: "error", error, description, subcode };
}

/**
 * Browsers send the origin of a form. Current browsers send `Sec-Fetch-Site`; `Origin` is the fallback for older ones.
 * The service's own pages send `Origin: null`, because they set `Referrer-Policy: no-referrer` (Fetch section 3.2).
 */
function isSameOrigin({ headers }: IncomingRequest, serviceUrl: string): boolean {
  const site = headers.get("sec-fetch-site");
  const origin = headers.get("origin");
  if (origin !== null && origin !== "null" && origin !== serviceUrl) return false;
  return site === null ? origin === serviceUrl : site === "same-origin";
}

function signInRefused(reason: SignInRefusal) {
  return fail({ kind: "sign_in_refused", reason } as const);
}
