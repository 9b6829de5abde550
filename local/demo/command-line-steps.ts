/**
 * The command line for scripts, as its users run it: a sign-in with a device code, then headers, tokens, calls and grants.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localPolicy } from "../stack/policy.ts";
import { check, type Demo, type DemoStep } from "./demo-step.ts";
import { runTool } from "./run-tool.ts";

export const commandLineSteps: readonly DemoStep[] = [
  {
    name: "gte login: a person signs a terminal in, with a code on any device",
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
    name: "gte header graph: the object that the old PowerShell function gave",
    run: async (demo) => {
      const headers = JSON.parse(await gte(demo, ["header", "graph"])) as Record<string, string>;
      check(Object.keys(headers).join() === "Authorization,Content-Type", "Authorization and Content-Type");
    },
  },
  {
    name: "gte token graph: the token alone",
    run: async (demo) => {
      const token = await gte(demo, ["token", "graph"]);
      check(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/.test(token), "one token on one line");
    },
  },
  {
    name: "gte call: Graph in one line",
    run: async (demo) => {
      const out = await gte(demo, ["call", `${demo.environment.graphUrl}/v1.0/me`, "--api", "graph"]);
      check(out.includes("alice@contoso.local"), "alice's profile");
    },
  },
  {
    name: "gte grants: alice sees what applications have in her name, and ends what the flow has",
    run: async (demo) => {
      const flow = localPolicy.callers.find(({ name }) => name === "daemon")?.displayName;
      const [id] = await grantsHeldBy(demo, flow);
      check(typeof id === "string", `a grant held by ${flow}`);
      await gte(demo, ["grants", "revoke", id]);
      const left = await grantsHeldBy(demo, flow);
      check(!left.includes(id), "the grant to be gone");
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
    onNote: (text) => {
      const userCode = /enter the code (\w+)/.exec(text)?.[1];
      if (userCode !== undefined) {
        demo.say(`(alice enters ${userCode} on that page, on her phone, and signs in)`);
        void demo.control("approveDeviceCode", { userCode, user: "alice" });
      }
    },
  });
}
