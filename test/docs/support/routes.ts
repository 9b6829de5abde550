/** The routes that the service has when everything is configured, as `functions/register.ts` gives them. */
import { compose, realSurroundings } from "../../../functions/composition/compose.ts";
import { routesOf } from "../../../functions/register.ts";
import { createServiceSettings } from "../../../local/stack/service-settings.ts";
import { configFrom } from "../../../shared/config/environment.ts";

export interface LiveRoute {
  readonly template: string;
  readonly methods: readonly string[];
}

/** Composition does no I/O, so any addresses will do. */
export function liveRoutes(): readonly LiveRoute[] {
  const settings = createServiceSettings({
    tenantUrl: "https://localhost:7443",
    serviceUrl: "http://localhost:7071",
    tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
    managedIdentity: { endpoint: "http://127.0.0.1:1", header: "x" },
  });
  return routesOf(compose(configFrom(settings), realSurroundings()));
}

/** Whether a path, or a path with parameters in braces or angle brackets, is one of the template. */
export function matchesTemplate(template: string, path: string): boolean {
  const wanted = template.split("/");
  const given = path.slice(1).split("/");
  if (template.includes("{*") || template.includes(":")) {
    // A catch-all, or a constraint: compare what stands before it.
    const fixed = wanted.filter((part) => !part.startsWith("{"));
    return fixed.every((part, index) => part.toLowerCase() === given[index]?.toLowerCase());
  }
  return (
    wanted.length === given.length &&
    wanted.every((part, index) => part.startsWith("{") || part.toLowerCase() === given[index]?.toLowerCase())
  );
}
