import { isoTime } from "../../shared/core/iso-time.ts";
import { succeed } from "../../shared/core/result.ts";
import { readLinkRequest } from "../../shared/http/read-link-request.ts";
import { json } from "../../shared/http/write-answer.ts";
import { createLink } from "../../shared/sign-in/create-link.ts";
import type { SignInContext } from "../../shared/sign-in/sign-in-context.ts";
import type { Route } from "../handle.ts";

/** `POST /signin/links`: a link by which a person makes a grant for an application. */
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
      const made = await createLink({ ...context, trace }, read.value, audit);
      if (!made.ok) return made;
      const expiresOn = isoTime(made.value.expiresAtSeconds);
      return succeed(json(201, correlationId, { url: made.value.url, expiresOn }));
    },
  };
}
