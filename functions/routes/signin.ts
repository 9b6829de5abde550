import { readLink } from "../../shared/http/read-arrival.ts";
import { redirect } from "../../shared/http/write-redirect.ts";
import { succeed } from "../../shared/result.ts";
import { beginLink } from "../../shared/sign-in/begin-sign-in.ts";
import type { SignInRooms } from "../../shared/sign-in/sign-in-rooms.ts";
import type { Route } from "../handle.ts";

/** `GET /signin/{link}`: a person opens a link and goes on to Entra to choose an account. */
export function signInRoute(rooms: SignInRooms): Route {
  return {
    name: "signin",
    template: "signin/{link}",
    methods: ["GET"],
    dialect: "page",
    audit: "answered",
    async run(request, { note, correlationId }) {
      const departure = await beginLink(rooms, { ...readLink(request), correlationId }, note);
      return departure.ok ? succeed(redirect(departure.value.location, departure.value.cookies)) : departure;
    },
  };
}
