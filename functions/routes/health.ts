import { succeed } from "../../shared/core/result.ts";
import { serviceVersion } from "../composition/version.ts";
import type { Route } from "../handle.ts";

/** `GET|HEAD /healthz`: answers `Healthy`, the sidecar's text, and the version, while the process runs. It checks nothing else. */
export function healthRoute(): Route {
  return {
    name: "healthz",
    template: "healthz",
    methods: ["GET", "HEAD"],
    dialect: "problem",
    audit: "none",
    run: () =>
      Promise.resolve(
        succeed({
          status: 200,
          headers: {
            "Content-Type": "text/plain; charset=utf-8",
            "Cache-Control": "no-store",
            "X-Service-Version": serviceVersion,
          },
          body: "Healthy",
        }),
      ),
  };
}
