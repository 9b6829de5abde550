/** Which routes of the sign-in are there: none without use, and never one that leads to another that is missing. */
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

/** The routes where only the web application's backend is in the policy. */
function routesWith(changes: Partial<CallerRule>): string[] {
  const callers = config.policy.callers.filter(({ name }) => name === "web-backend");
  const policy = { ...config.policy, callers: callers.map((entry) => ({ ...entry, ...changes })) };
  const names = routesOf(compose({ ...config, policy }, realSurroundings())).map(({ name }) => name);
  return names.filter((name) => /^(par|authorize|callback|signin)/.test(name)).sort();
}

const CODE = ["authorize", "callback", "par"];
const LINKS = ["callback", "signin-confirm", "signin-links", "signin-open"];

test.each<[string, Partial<CallerRule>, string[]]>([
  ["everything", {}, [...CODE, ...LINKS.slice(1)]],
  ["codes that keep nothing", { offlineAccess: false, unattended: false }, CODE],
  // No policy that starts says this; the page that asks is there all the same.
  ["codes that keep something", { unattended: false }, ["authorize", "callback", "par", "signin-confirm"]],
  ["links alone", { flows: ["refresh-token"], redirectUris: [] }, LINKS],
  ["neither", { flows: ["on-behalf-of"], redirectUris: [], offlineAccess: false }, []],
])("%s", (_name, changes, expected) => {
  expect(routesWith(changes)).toEqual(expected);
});
