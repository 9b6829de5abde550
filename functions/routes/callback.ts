import { succeed } from "../../shared/core/result.ts";
import { readSignInError } from "../../shared/entra/read-sign-in-error.ts";
import { failureToWire } from "../../shared/http/failure-to-wire.ts";
import type { OutgoingResponse } from "../../shared/http/outgoing-response.ts";
import { type Callback, readCallback } from "../../shared/http/read-browser-request.ts";
import { codeLocation, errorLocation, redirect } from "../../shared/http/write-redirect.ts";
import { refusalResponse } from "../../shared/pages/refusal-page.ts";
import { finishSignIn, type SignInEnd } from "../../shared/sign-in/finish-sign-in.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /oauth2/callback`: the redirect URI of the registration, to which Entra returns the browser. Answers a redirect
 * to the application or to the confirmation page, or a page with the refusal.
 */
export function callbackRoute(context: SignInContext): Route {
  return {
    name: "callback",
    template: "oauth2/callback",
    methods: ["GET"],
    dialect: "page",
    audit: "answered",
    async run(request, { audit, trace }) {
      const read = readCallback(request);
      if (!read.ok) return read;
      const end = await finishSignIn({ ...context, trace }, toEntraAnswer(read.value), audit);
      return end.ok ? succeed(toResponse(end.value, context.signIn.serviceUrl)) : end;
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

function toResponse({ next, cookies, correlationId }: SignInEnd, serviceUrl: string): OutgoingResponse {
  switch (next.kind) {
    case "return":
      return redirect(codeLocation(next.returnTo, next.code, serviceUrl), cookies);
    case "return_error":
      return { ...redirect(errorLocation(next.returnTo, next.failure, serviceUrl), cookies), refusal: next.failure };
    case "confirm":
      // A redirect, so that the URL of the page that stays open does not contain Entra's code.
      return redirect(`/signin/confirm?transaction=${next.id}`, cookies);
    case "page": {
      const wire = failureToWire(next.failure, { dialect: "page", understandsChallenge: false });
      return refusalResponse(wire, correlationId, { cookies, refusal: next.failure, fromStart: true });
    }
  }
}
