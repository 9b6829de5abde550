/**
 * The command line for scripts, as its users run it: a sign-in with a device code, then headers and calls.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { check, type Demo, type DemoStep } from "./demo-step.ts";

const mainPath = resolve(import.meta.dirname, "../../clients/cli/main.ts");

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
        const settings = [
          "--service",
          serviceUrl,
          "--client-id",
          callers["cli"]?.clientId ?? "",
          "--ca-file",
          caCertPath,
        ];
        await gte(demo, ["login", ...settings]);
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
    name: "gte call: Graph in one line",
    run: async (demo) => {
      const out = await gte(demo, ["call", `${demo.environment.graphUrl}/v1.0/me`, "--api", "graph"]);
      check(out.includes("alice@contoso.local"), "alice's profile");
      await gte(demo, ["logout"]);
    },
  },
];

// ---------------------------------------------------------------------------------------------------------------

async function gte(demo: Demo, args: readonly string[]): Promise<string> {
  demo.say(`$ gte ${args.join(" ")}`);
  const child = spawn(process.execPath, [mainPath, ...args, "--home", demo.recall("home")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    demo.say(text.trim());
    const userCode = /enter the code (\w+)/.exec(text)?.[1];
    if (userCode !== undefined) {
      demo.say(`(alice enters ${userCode} on that page, on her phone, and signs in)`);
      void demo.control("approveDeviceCode", { userCode, user: "alice" });
    }
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  demo.say(out.replace(/\s+/g, " ").trim());
  check(code === 0, `exit code 0, got ${code}`);
  return out;
}
