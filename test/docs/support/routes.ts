/** The routes of a service with every feature configured, from `functions/register.ts`. */
import { compose, realSurroundings } from "../../../functions/composition/compose.ts";
import { routesOf } from "../../../functions/register.ts";
import { createServiceSettings } from "../../../local/stack/service-settings.ts";
import { configFrom } from "../../../shared/config/environment.ts";

export interface LiveRoute {
  readonly template: string;
  readonly methods: readonly string[];
}

/** Composition does no I/O, so any address works. */
export function liveRoutes(): readonly LiveRoute[] {
  const settings = createServiceSettings({
    tenantUrl: "https://localhost:7443",
    serviceUrl: "http://localhost:7071",
    tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
    managedIdentity: { endpoint: "http://127.0.0.1:1", header: "x" },
  });
  return routesOf(compose(configFrom(settings), realSurroundings()));
}

/** Whether a path matches the template. The path may have parameters in braces or angle brackets. */
export function matchesTemplate(template: string, path: string): boolean {
  if (template.includes("maxlength(0)")) return path === "/";
  const wanted = template.split("/");
  const given = path.slice(1).split("/");
  if (template.includes("{*") || template.includes(":")) {
    // A catch-all or a constraint: compare only the fixed parts.
    const fixed = wanted.filter((part) => !part.startsWith("{"));
    return fixed.every((part, index) => part.toLowerCase() === given[index]?.toLowerCase());
  }
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith("{") || part.toLowerCase() === given[index]?.toLowerCase())
  );
}
