import { isoTime } from "../../shared/core/iso-time.ts";
import { succeed } from "../../shared/core/result.ts";
import { readLinkRequest } from "../../shared/http/read-link-request.ts";
import { json } from "../../shared/http/write-answer.ts";
import { createLink } from "../../shared/sign-in/create-link.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/**
 * `POST /signin/links`: answers 201 with a link and a handle. The person who opens the link can allow the grant; from then
 * on the handle works for the application.
 */
export function signInLinksRoute(context: SignInContext): Route {
  return {
    name: "signin-links",
    template: "signin/links",
    methods: ["POST"],
    dialect: "problem",
    audit: "answered",
    async run(request, { audit, correlationId, trace }) {
      const read = await readLinkRequest(request);
      if (!read.ok) return read;
      const link = await createLink({ ...context, trace }, read.value, audit);
      if (!link.ok) return link;
      const expiresOn = isoTime(link.value.expiresAtSeconds);
      const { url, handle } = link.value;
      return succeed(json(201, correlationId, { url, expiresOn, grant: handle.reveal() }));
    },
  };
}
