/**
 * `npm run deploy` as a process, with the real compiler and the real template, against an `az` on the path.
 * test/deploy has the failures.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cloud, REGISTERED_CLIENT_ID } from "../deploy/support/stand-in-az.ts";
import { fences, markdownFile, section } from "../docs/support/markdown.ts";
import { describeWithBicep, infraFile } from "./support/compiler.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Each run compiles the template three times, and starts a process for each command. */
const PROCESS_MS = 300_000;
const CLIENT_ID = "11111111-1111-4111-8111-111111111111";

const folder = mkdtempSync(join(tmpdir(), "gte-deploy-command-"));
const file = join(folder, "contoso.bicepparam");
const state = join(folder, "state.json");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  const program = fileURLToPath(new URL("../deploy/support/az-program.ts", import.meta.url));
  writeFileSync(join(folder, "az"), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`, { mode: 0o755 });
  writeFileSync(
    file,
    `using '${relative(folder, infraFile("main.bicep"))}'
param name = 'contoso'
param location = 'westeurope'
param clientId = '${CLIENT_ID}'
param policy = {
  apis: { graph: { resource: 'https://graph.microsoft.com', scopes: ['User.Read'] } }
  callers: [
    {
      name: 'web'
      kind: 'user'
      clientId: '22222222-2222-4222-8222-222222222222'
      flows: ['on-behalf-of']
      apis: { graph: ['User.Read'] }
    }
  ]
}
`,
  );
});

/** The arguments of the documented commands: the dry run, and the deployment. */
const [DRY_RUN = [], DEPLOYMENT = []] = (
  fences(section(markdownFile("docs/deploy.md").text, "Deploy a tenant"), "sh")[0] ?? ""
)
  .trim()
  .split("\n")
  .map((line) =>
    line
      .replace(/^npm run deploy -- infra\/tenants\/contoso\.bicepparam ?/, "")
      .split(" ")
      .filter(Boolean),
  );

function run(...args: readonly string[]) {
  const env = { ...process.env, STAND_IN_STATE: state, PATH: [folder, process.env["PATH"]].join(delimiter) };
  const { status, stderr } = spawnSync(process.execPath, ["clients/deploy.ts", file, ...args], {
    cwd: ROOT,
    env,
    encoding: "utf8",
  });
  const cloud = JSON.parse(readFileSync(state, "utf8")) as Cloud;
  return { status, text: stderr, cloud };
}

describeWithBicep("npm run deploy as a process", () => {
  test("is documented as two commands, of which the first changes nothing", () => {
    expect([DRY_RUN, DEPLOYMENT]).toEqual([["--dry-run"], []]);
  });

  test(
    "shows a whole dry run, with every name from the template",
    () => {
      const { status, text, cloud } = run(...DRY_RUN);
      expect([status, text]).toEqual([0, expect.stringContaining("This was a dry run. Nothing was changed.")]);
      expect(cloud.made).toEqual([]);
      const app = /\[package\] (func-contoso-[a-z0-9]{8})/.exec(text)?.[1];
      expect(text).toContain(`serviceUrl=https://${app}.azurewebsites.net`);
      expect(text).toMatch(/would make: the key sealing-key in the vault kv-contoso-[a-z0-9]{8}/);
      expect(text).toContain("infra/modules/identity.bicep --parameters name=id-contoso location=westeurope 'tags={}'");
      expect(text).toContain("uniqueName=graph-token-exchange");
      // Every provider of the template, except those that the stand-in has registered.
      expect(text).toContain(
        "Microsoft.App, Microsoft.Insights, Microsoft.KeyVault, Microsoft.ManagedIdentity, Microsoft.OperationalInsights.",
      );
    },
    PROCESS_MS,
  );

  test(
    "makes identity and registrations, and the file compiles with the registered client id",
    () => {
      const { status, text, cloud } = run(...DEPLOYMENT, "--step", "identity", "--step", "registrations");
      expect([status, text]).toEqual([0, expect.stringContaining(`clientId is now ${REGISTERED_CLIENT_ID}`)]);
      expect(cloud.made).toEqual(["group", "identity", "application", "credential"]);
      const again = run("--step", "registrations");
      expect([again.status, again.text]).toEqual([0, expect.not.stringContaining("clientId is now")]);
      expect(again.cloud.made).toEqual(cloud.made);
    },
    PROCESS_MS,
  );
});
