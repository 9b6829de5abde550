import type { Failure } from "../../shared/core/failure.ts";
import { succeed } from "../../shared/core/result.ts";
import { readSignInError } from "../../shared/entra/read-sign-in-error.ts";
import { failureToWire } from "../../shared/http/failure-to-wire.ts";
import type { OutgoingResponse } from "../../shared/http/outgoing-response.ts";
import { type Callback, readCallback } from "../../shared/http/read-browser-request.ts";
import { codeLocation, errorLocation, redirect } from "../../shared/http/write-redirect.ts";
import type { MyAccessContext } from "../../shared/my-access/my-access-context.ts";
import { finishVisit, isOfVisit, type VisitEnd } from "../../shared/my-access/sign-in-for-visit.ts";
import type { Language } from "../../shared/pages/language.ts";
import { refusalResponse } from "../../shared/pages/refusal-page.ts";
import { finishSignIn, type SignInEnd } from "../../shared/sign-in/finish-sign-in.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /oauth2/callback`: the redirect URI of the registration, to which Entra returns the browser. Answers a redirect
 * to the application, to the confirmation page or to `/me`, or a page with the refusal.
 */
export function callbackRoute(context: SignInContext, myAccess: MyAccessContext | undefined): Route {
  return {
    name: "callback",
    template: "oauth2/callback",
    methods: ["GET"],
    dialect: "page",
    audit: "answered",
    async run(request, { audit, trace, language }) {
      const read = readCallback(request);
      if (!read.ok) return read;
      const answer = toEntraAnswer(read.value);
      if (myAccess !== undefined && isOfVisit(answer)) {
        const visited = await finishVisit({ ...myAccess, trace }, answer, audit);
        return visited.ok ? succeed(toVisitResponse(visited.value, language)) : visited;
      }
      const end = await finishSignIn({ ...context, trace }, answer, audit);
      return end.ok ? succeed(toResponse(end.value, context.signIn.serviceUrl, language)) : end;
    },
  };
}

// ------------------------------------------------------------------------------------------------------------------

function toEntraAnswer({ outcome, ...callback }: Callback) {
  return outcome.kind === "code"
    ? { ...callback, outcome }
    : {
        ...callback,
        outcome: { kind: "error", failure: (scopes: readonly string[]) => readSignInError(outcome, scopes) } as const,
      };
}

function toResponse(
  { next, cookies, correlationId }: SignInEnd,
  serviceUrl: string,
  language: Language,
): OutgoingResponse {
  switch (next.kind) {
    case "return":
      return redirect(codeLocation(next.returnTo, next.code, serviceUrl), cookies);
    case "return_error":
      return { ...redirect(errorLocation(next.returnTo, next.failure, serviceUrl), cookies), refusal: next.failure };
    case "confirm":
      // A redirect, so that the URL of the page that stays open does not contain Entra's code.
      return redirect(`/signin/confirm?transaction=${next.id}`, cookies);
    case "page":
      return toRefusal(next.failure, { cookies, correlationId }, language);
  }
}

function toVisitResponse({ failure, ...end }: VisitEnd, language: Language): OutgoingResponse {
  return failure === undefined ? redirect("/me", end.cookies) : toRefusal(failure, end, language);
}

function toRefusal(
  failure: Failure,
  { cookies, correlationId }: Pick<SignInEnd, "cookies" | "correlationId">,
  language: Language,
): OutgoingResponse {
  const wire = failureToWire(failure, { dialect: "page", understandsChallenge: false });
  return refusalResponse(wire, correlationId, { language, cookies, refusal: failure, fromStart: true });
}
