import { succeed } from "../../shared/core/result.ts";
import { homePage } from "../../shared/pages/home-page.ts";
import { pageResponse } from "../../shared/pages/layout.ts";
import type { Service } from "../composition/compose.ts";
import type { Route } from "../handle.ts";

/** `GET|HEAD /`: a page about the service. Its template matches the empty path only. */
export function homeRoute({ identity }: Service): Route {
  return {
    name: "home",
    template: "{ignored:maxlength(0)?}",
    methods: ["GET", "HEAD"],
    dialect: "page",
    audit: "none",
    run: (_request, { correlationId, language }) =>
      Promise.resolve(
        succeed(pageResponse(homePage(language, identity.documentationUrl), { status: 200, correlationId })),
      ),
  };
}
