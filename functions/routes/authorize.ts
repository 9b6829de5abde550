import { succeed } from "../../shared/core/result.ts";
import { readAuthorize } from "../../shared/http/read-browser-request.ts";
import { redirect } from "../../shared/http/write-redirect.ts";
import { beginAuthorize } from "../../shared/sign-in/begin-sign-in.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/** `GET /oauth2/authorize`: answers a redirect to Entra for a pushed request. */
export function authorizeRoute(context: SignInContext): Route {
  return {
    name: "authorize",
    template: "oauth2/authorize",
    methods: ["GET"],
    dialect: "page",
    audit: "answered",
    async run(request, { audit, correlationId }) {
      const read = readAuthorize(request);
      if (!read.ok) return read;
      const departure = await beginAuthorize(context, { ...read.value, correlationId }, audit);
      return departure.ok ? succeed(redirect(departure.value.location, departure.value.cookies)) : departure;
    },
  };
}
