import { succeed } from "../../shared/core/result.ts";
import { readLink } from "../../shared/http/read-browser-request.ts";
import { json } from "../../shared/http/write-answer.ts";
import { redirect } from "../../shared/http/write-redirect.ts";
import { beginLink } from "../../shared/sign-in/begin-sign-in.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/**
 * `GET /signin/{link}`: answers a redirect to Entra, where the person who opened the link signs in. `HEAD` answers 200 to
 * programs that check the links of a mail; it reads nothing and begins nothing.
 */
export function signInRoute(context: SignInContext): Route {
  return {
    name: "signin-open",
    template: "signin/{link}",
    methods: ["GET", "HEAD"],
    dialect: "page",
    audit: "answered",
    async run(request, { audit, correlationId }) {
      if (request.method === "HEAD") return succeed(json(200, correlationId, {}));
      const departure = await beginLink(context, { ...readLink(request), correlationId }, audit);
      return departure.ok ? succeed(redirect(departure.value.location, departure.value.cookies)) : departure;
    },
  };
}
