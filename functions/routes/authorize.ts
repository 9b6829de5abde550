import { readAuthorize } from "../../shared/http/read-arrival.ts";
import { redirect } from "../../shared/http/write-redirect.ts";
import { succeed } from "../../shared/result.ts";
import { beginAuthorize } from "../../shared/sign-in/begin-sign-in.ts";
import type { SignInRooms } from "../../shared/sign-in/sign-in-rooms.ts";
import type { Route } from "../handle.ts";

/** `GET /oauth2/authorize`: the browser brings a pushed request and goes on to Entra. */
export function authorizeRoute(rooms: SignInRooms): Route {
  return {
    name: "authorize",
    template: "oauth2/authorize",
    methods: ["GET"],
    dialect: "page",
    audit: "answered",
    async run(request, { note, correlationId }) {
      const read = readAuthorize(request);
      if (!read.ok) {
        return read;
      }
      const departure = await beginAuthorize(rooms, { ...read.value, correlationId }, note);
      return departure.ok ? succeed(redirect(departure.value.location, departure.value.cookies)) : departure;
    },
  };
}
