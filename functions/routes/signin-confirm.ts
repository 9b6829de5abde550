import type { HttpRequest } from "@azure/functions";
import type { Failure } from "../../shared/core/failure.ts";
import { type Result, succeed } from "../../shared/core/result.ts";
import { failureToWire } from "../../shared/http/failure-to-wire.ts";
import type { OutgoingResponse } from "../../shared/http/outgoing-response.ts";
import { readConfirmationForm, readConfirmationPage } from "../../shared/http/read-browser-request.ts";
import { codeLocation, errorLocation } from "../../shared/http/write-redirect.ts";
import { allowedPage } from "../../shared/pages/allowed-page.ts";
import { confirmationPage } from "../../shared/pages/confirmation-page.ts";
import type { Language } from "../../shared/pages/language.ts";
import { pageResponse } from "../../shared/pages/layout.ts";
import { loadPermissionWords } from "../../shared/pages/permission-words.ts";
import { refusalResponse } from "../../shared/pages/refusal-page.ts";
import { returnPage } from "../../shared/pages/return-page.ts";
import { clearCookies } from "../../shared/sealed-state/cookies.ts";
import {
  type CodeConfirmation,
  type Confirmation,
  type Confirmed,
  confirmGrant,
  openConfirmation,
} from "../../shared/sign-in/confirm-grant.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route, RouteContext } from "../handle.ts";

/**
 * `GET /signin/confirm`: answers the confirmation page. `POST /signin/confirm`: the user's approval or denial. After an
 * approval it answers a page that says so, or a page that returns to the application with a code.
 */
export function signInConfirmRoute(context: SignInContext): Route {
  return {
    name: "signin-confirm",
    template: "signin/confirm",
    methods: ["GET", "POST"],
    dialect: "page",
    audit: "answered",
    run: (request, routeContext) =>
      request.method === "POST" ? answerForm(context, request, routeContext) : showForm(context, request, routeContext),
  };
}

// ------------------------------------------------------------------------------------------------------------------

async function showForm(
  context: SignInContext,
  request: HttpRequest,
  { audit, language }: RouteContext,
): Promise<Result<OutgoingResponse, Failure>> {
  const opened = await openConfirmation(context, readConfirmationPage(request), audit);
  if (!opened.ok) return opened;
  const { correlationId } = opened.value.pending;
  const page = await toConfirmationPage({ context, language }, opened.value);
  return succeed(pageResponse(page, { status: 200, correlationId }));
}

async function answerForm(
  context: SignInContext,
  request: HttpRequest,
  { audit, signal, language }: RouteContext,
): Promise<Result<OutgoingResponse, Failure>> {
  const form = await readConfirmationForm(request, context.signIn.serviceUrl);
  if (!form.ok) return form;
  const { id, cookieHeader } = form.value;
  const opened = await openConfirmation(context, form.value, audit);
  if (!opened.ok) return opened;
  const { correlationId } = opened.value.pending;
  const confirmed = await confirmGrant(context, opened.value, form.value, { audit, signal });
  const cookies = clearCookies(cookieHeader, "confirm", id);
  if (confirmed.ok) {
    return succeed(
      pageResponse(toResultPage({ context, language }, opened.value, confirmed.value), {
        status: 200,
        correlationId,
        cookies,
      }),
    );
  }
  const { failure } = confirmed;
  const wire = failureToWire(failure, { dialect: "page", understandsChallenge: false });
  if (wire.code === "signin_declined" && opened.value.kind === "code") {
    const page = toDeniedPage({ context, language }, opened.value, failure);
    return succeed(pageResponse(page, { status: 200, correlationId, cookies, refusal: failure }));
  }
  // After a temporary failure, for example of the grant store, the confirmation stays open and a reload shows it again.
  const clearedCookies = wire.action === "retry" ? [] : cookies;
  return succeed(refusalResponse(wire, correlationId, { language, cookies: clearedCookies, refusal: failure }));
}

async function toConfirmationPage({ context, language }: PageContext, confirmation: Confirmation) {
  const { pending, application, purpose, apis, mayIncludeMore, untilSeconds } = confirmation;
  const { target, id, formToken } = pending;
  const inWords = await loadPermissionWords(
    language,
    apis.map(({ api }) => api),
  );
  return confirmationPage({
    language,
    organisation: context.signIn.tenantDisplayName,
    application,
    clientId: target.clientId,
    purpose,
    person: pending.kind === "grant" ? pending.person : undefined,
    again: pending.kind === "grant" && pending.heals,
    apis: apis.map((shown) => ({ ...shown, scopes: inWords(shown.api, shown.scopes) })),
    mayIncludeMore,
    untilSeconds,
    transaction: id,
    formToken,
  });
}

interface PageContext {
  readonly context: SignInContext;
  readonly language: Language;
}

function toResultPage({ context, language }: PageContext, { application }: Confirmation, confirmed: Confirmed) {
  const organisation = context.signIn.tenantDisplayName;
  if (confirmed.kind === "return") {
    const location = codeLocation(confirmed.returnTo, confirmed.code, context.signIn.serviceUrl);
    return returnPage({ language, organisation, application, allowed: true, location });
  }
  return allowedPage({ language, organisation, application, untilSeconds: confirmed.grant.expiresAtSeconds });
}

function toDeniedPage(
  { context, language }: PageContext,
  { application, pending }: CodeConfirmation,
  failure: Failure,
) {
  const location = errorLocation(pending.returnTo, failure, context.signIn.serviceUrl);
  const organisation = context.signIn.tenantDisplayName;
  return returnPage({ language, organisation, application, allowed: false, location });
}
