/**
 * What the policy says, before anybody is surprised by it: asked of the running service, and of a file not yet deployed.
 */
import { userToken } from "../caller/caller-token.ts";
import { CLIENT_IDS } from "../tenant/directory/seed-ids.ts";
import { bearer, check, checkStatus, type DemoStep } from "./demo-step.ts";
import { runTool } from "./run-tool.ts";

const examplePath = "docs/examples/policy.json";

export const policySteps: readonly DemoStep[] = [
  {
    name: "erin (app role Policy.Explain) asks what a caller would get, and which rule says so",
    run: async (demo) => {
      const headers = bearer(await userToken(demo.environment, "erin"));
      const caller = { kind: "user", clientId: CLIENT_IDS.web };
      const question = { caller, flow: "on-behalf-of", api: "graph" };
      const yes = await demo.ask("/policy/explain", { headers, json: { ...question, scopes: ["Mail.Read"] } });
      checkStatus(yes, 200);
      check(yes.json()["allowed"] === true && yes.json()["entry"] === "web-users", "allowed by web-users");
      const no = await demo.ask("/policy/explain", { headers, json: { ...question, scopes: ["Mail.Send"] } });
      checkStatus(no, 200);
      check(no.json()["reason"] === "scope_not_allowed", "reason scope_not_allowed");
      const link = await demo.ask("/policy/explain", {
        headers,
        json: { link: { caller: "reports", apis: { graph: [] } } },
      });
      checkStatus(link, 200);
      check(link.json()["allowed"] === false, "no sign-in link for an application that keeps nothing");
    },
  },
  {
    name: "Nobody else may ask",
    run: async (demo) => {
      const headers = bearer(await userToken(demo.environment, "alice"));
      const json = { link: { caller: "daemon", apis: { graph: [] } } };
      checkStatus(await demo.ask("/policy/explain", { headers, json }), 403);
    },
  },
  {
    name: "A policy is checked before it is deployed",
    run: async (demo) => {
      const shown = `npm run policy -- check ${examplePath}`;
      const out = await runTool(demo, { shown, script: "clients/policy.ts", parameters: ["check", examplePath] });
      check(/may have graph: /.test(out), "who may have what");
    },
  },
];
