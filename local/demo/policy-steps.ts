/**
 * The policy decision, explained by the running service, and the check of a policy file that is not deployed yet.
 */
import { userToken } from "../caller/caller-token.ts";
import { CLIENT_IDS } from "../tenant/directory/seed-ids.ts";
import { bearer, check, checkStatus, type DemoStep } from "./demo-step.ts";
import { runTool } from "./run-tool.ts";

const examplePath = "docs/examples/policy.json";

export const policySteps: readonly DemoStep[] = [
  {
    name: "erin (app role Policy.Explain) asks what a caller would get and by which policy entry",
    run: async (demo) => {
      const headers = bearer(await userToken(demo.environment, "erin"));
      const caller = { kind: "user", clientId: CLIENT_IDS.web };
      const question = { caller, flow: "on-behalf-of", api: "graph" };
      const allowed = await demo.ask("/policy/explain", { headers, json: { ...question, scopes: ["Mail.Read"] } });
      checkStatus(allowed, 200);
      check(allowed.json()["allowed"] === true && allowed.json()["entry"] === "web-users", "allowed by web-users");
      const denied = await demo.ask("/policy/explain", { headers, json: { ...question, scopes: ["Mail.Send"] } });
      checkStatus(denied, 200);
      check(denied.json()["reason"] === "scope_not_allowed", "reason scope_not_allowed");
      const link = await demo.ask("/policy/explain", {
        headers,
        json: { link: { caller: "reports", apis: { graph: [] } } },
      });
      checkStatus(link, 200);
      check(link.json()["allowed"] === false, "no sign-in link for an application without offline access");
    },
  },
  {
    name: "A user without the role may not ask",
    run: async (demo) => {
      const headers = bearer(await userToken(demo.environment, "alice"));
      const json = { link: { caller: "daemon", apis: { graph: [] } } };
      checkStatus(await demo.ask("/policy/explain", { headers, json }), 403);
    },
  },
  {
    name: "The policy checker checks a file before it is deployed",
    run: async (demo) => {
      const shown = `npm run policy -- check ${examplePath}`;
      const out = await runTool(demo, { shown, script: "clients/policy.ts", parameters: ["check", examplePath] });
      check(/may have graph: /.test(out), "the entitlements of each caller");
    },
  },
];
