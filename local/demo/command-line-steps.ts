/**
 * The command line for scripts, as its users run it: sign-in with a device code, then headers, tokens, calls and grants.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localPolicy } from "../stack/policy.ts";
import { check, type Demo, type DemoStep } from "./demo-step.ts";
import { runTool } from "./run-tool.ts";

export const commandLineSteps: readonly DemoStep[] = [
  {
    name: "gte login: a user signs in at a terminal, with a code that is entered on any device",
    run: async (demo) => {
      const home = mkdtempSync(join(tmpdir(), "gte-demo-"));
      process.once("exit", () => rmSync(home, { recursive: true, force: true }));
      demo.remember("home", home);
      await demo.control("setDeviceCodeInterval", { seconds: 0.2 });
      try {
        const { serviceUrl, callers, caCertPath } = demo.environment;
        const clientId = callers["cli"]?.clientId ?? "";
        await gte(demo, ["login", "--service", serviceUrl, "--client-id", clientId, "--ca-file", caCertPath]);
      } finally {
        await demo.control("setDeviceCodeInterval", { seconds: 5 });
      }
    },
  },
  {
    name: "gte header graph: the header object that the old PowerShell function returned",
    run: async (demo) => {
      const headers = JSON.parse(await gte(demo, ["header", "graph"])) as Record<string, string>;
      check(Object.keys(headers).join() === "Authorization,Content-Type", "Authorization and Content-Type");
    },
  },
  {
    name: "gte token graph: only the token",
    run: async (demo) => {
      const token = await gte(demo, ["token", "graph"]);
      check(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/.test(token), "one token on one line");
    },
  },
  {
    name: "gte call: one call to Graph",
    run: async (demo) => {
      const out = await gte(demo, ["call", `${demo.environment.graphUrl}/v1.0/me`, "--api", "graph"]);
      check(out.includes("alice@contoso.local"), "alice's profile");
    },
  },
  {
    name: "gte grants: alice lists the grants that applications hold on her behalf, and revokes the one of the flow",
    run: async (demo) => {
      const flow = localPolicy.callers.find(({ name }) => name === "daemon")?.displayName;
      const [id] = await grantsHeldBy(demo, flow);
      check(typeof id === "string", `a grant held by ${flow}`);
      await gte(demo, ["grants", "revoke", id]);
      const left = await grantsHeldBy(demo, flow);
      check(!left.includes(id), "the revoked grant to be absent");
      await gte(demo, ["logout"]);
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

async function grantsHeldBy(demo: Demo, application: string | undefined): Promise<unknown[]> {
  const listed = JSON.parse(await gte(demo, ["grants", "list", "--json"])) as Record<string, unknown>[];
  return listed.filter((grant) => grant["application"] === application).map(({ id }) => id);
}

async function gte(demo: Demo, parameters: readonly string[]): Promise<string> {
  return runTool(demo, {
    shown: `gte ${parameters.join(" ")}`,
    script: "clients/cli/main.ts",
    parameters: [...parameters, "--home", demo.recall("home")],
    onErrorOutput: (text) => {
      const userCode = /enter the code (\w+)/.exec(text)?.[1];
      if (userCode !== undefined) {
        demo.say(`(alice enters ${userCode} on that page on her phone and signs in)`);
        void demo.control("approveDeviceCode", { userCode, user: "alice" });
      }
    },
  });
}
