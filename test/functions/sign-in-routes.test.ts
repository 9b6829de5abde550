/** The service registers only the sign-in routes that its policy uses. */
import { expect, test } from "vitest";
import { compose, realSurroundings } from "../../functions/composition/compose.ts";
import { routesOf } from "../../functions/register.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import { configFrom } from "../../shared/config/environment.ts";
import type { CallerRule } from "../../shared/policy/rules.ts";

const settings = createServiceSettings({
  tenantUrl: "https://localhost:7443",
  serviceUrl: "http://localhost:7071",
  tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
  managedIdentity: { endpoint: "", header: "" },
});
const config = configFrom(settings);

/** The sign-in routes of a policy with one entry: the web application's backend with these changes. */
function routesWith(changes: Partial<CallerRule>): string[] {
  const callers = config.policy.callers.filter(({ name }) => name === "web-backend");
  const policy = { ...config.policy, callers: callers.map((entry) => ({ ...entry, ...changes })) };
  const names = routesOf(compose({ ...config, policy }, realSurroundings())).map(({ name }) => name);
  return names.filter((name) => /^(par|authorize|callback|signin)/.test(name)).sort();
}

const CODE = ["authorize", "callback", "par"];
const LINKS = ["callback", "signin-confirm", "signin-links", "signin-open"];

test.each<[string, Partial<CallerRule>, string[]]>([
  ["authorization codes and links", {}, [...CODE, ...LINKS.slice(1)]],
  ["authorization codes without grants", { offlineAccess: false, unattended: false }, CODE],
  // The service does not start with this policy, but the confirmation page would exist.
  ["authorization codes with grants", { unattended: false }, ["authorize", "callback", "par", "signin-confirm"]],
  ["links only", { flows: ["refresh-token"], redirectUris: [] }, LINKS],
  // The callback is for `/me`.
  ["neither codes nor links", { flows: ["on-behalf-of"], redirectUris: [], offlineAccess: false }, ["callback"]],
])("a policy with %s registers only its sign-in routes", (_name, changes, expected) => {
  expect(routesWith(changes)).toEqual(expected);
});
