import { readLinkRequest } from "../../shared/http/read-link-request.ts";
import { json } from "../../shared/http/write-answer.ts";
import { succeed } from "../../shared/result.ts";
import { makeLink } from "../../shared/sign-in/make-link.ts";
import type { SignInRooms } from "../../shared/sign-in/sign-in-rooms.ts";
import type { Route } from "../handle.ts";

/** `POST /signin/links`: a link by which a person makes a grant for an application. */
export function signInLinksRoute(rooms: SignInRooms): Route {
  return {
    name: "signin-links",
    template: "signin/links",
    methods: ["POST"],
    dialect: "problem",
    audit: "answered",
    async run(request, { note, correlationId, trace }) {
      const read = await readLinkRequest(request);
      if (!read.ok) {
        return read;
      }
      const made = await makeLink({ ...rooms, trace }, read.value, note);
      if (!made.ok) {
        return made;
      }
      const expiresOn = new Date(made.value.expiresAtSeconds * 1_000).toISOString().replace(".000Z", "Z");
      return succeed(json(201, correlationId, { url: made.value.url, expiresOn }));
    },
  };
}
