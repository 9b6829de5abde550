/**
 * Makes the missing keys in the vault. A key is made in memory and sent to the vault over HTTPS by this process.
 *
 * `az keyvault secret set` is not used: `--value` shows the key to every process, `--file` wants a file, and with
 * `/dev/stdin` the CLI still writes the bodies of its requests into its log file where `logging.enable_log_file` is set.
 * No account has the role for secrets by default. The command gives it to the account, and takes it away again.
 */
import { createHash, randomBytes } from "node:crypto";
import * as z from "zod/mini";
import type { DeployContext, Service } from "../context.ts";
import { connectVault, type Vault } from "./vault-client.ts";

const ROLE = "Key Vault Secrets Officer";
/** Of AES-256. */
const KEY_BYTES = 32;

export async function makeKeys(context: DeployContext, service: Service | undefined): Promise<void> {
  const { plan, say, options } = context;
  // In a dry run without a vault, every key is missing.
  const missing = service === undefined ? plan.keyNames : await missingKeys(context);
  if (missing.length === 0) say(`The vault has every key: ${plan.keyNames.join(", ")}.`);
  if (options.dryRun || service === undefined) {
    for (const name of missing) say(`would make: the key ${name} in the vault ${plan.vaultName}`);
    return;
  }
  const role = await readRole(context);
  if (missing.length > 0) {
    await withRole(context, role, async () => setKeys(context, await connectVault(context, service.vaultUrl), missing));
  } else if (role.state === "of an earlier run") {
    await takeRole(context, role);
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** Also after a failure: the role is taken away, unless the account had it before. */
async function withRole(context: DeployContext, role: Role, work: () => Promise<void>): Promise<void> {
  if (role.state === "of its own") return work();
  if (role.state === "none") await giveRole(context, role);
  try {
    await work();
  } finally {
    await takeRole(context, role);
  }
}

interface Role {
  readonly state: "none" | "of its own" | "of an earlier run";
  readonly principalId: string;
  readonly scope: string;
  /** Name of the assignment of this command, the same in every run, so that a later run finds it. */
  readonly name: string;
}

async function readRole(context: DeployContext): Promise<Role> {
  const { az, plan } = context;
  const { account } = plan;
  const principalId = await az.read(
    account.isPerson
      ? ["ad", "signed-in-user", "show", "--query", "id"]
      : ["ad", "sp", "show", "--id", account.name, "--query", "id"],
    z.string(),
  );
  const scope = vaultId(context);
  // biome-ignore format: one command
  const names = await az.read(["role", "assignment", "list", "--assignee", principalId, "--role", ROLE, "--scope", scope,
    "--include-inherited", "--query", "[].name"], z.array(z.string()));
  const name = guidOf(`${scope.toLowerCase()} ${principalId} npm run deploy`);
  const other = names.length > 0 ? "of its own" : "none";
  return { state: names.includes(name) ? "of an earlier run" : other, principalId, scope, name };
}

async function giveRole({ az, plan }: DeployContext, { principalId, scope, name }: Role): Promise<void> {
  const type = plan.account.isPerson ? "User" : "ServicePrincipal";
  // biome-ignore format: one command
  await az.change(["role", "assignment", "create", "--name", name, "--role", ROLE, "--assignee-object-id", principalId,
    "--assignee-principal-type", type, "--scope", scope, "--output", "none"]);
}

async function takeRole({ az, say }: DeployContext, { scope, name }: Role): Promise<void> {
  const id = `${scope}/providers/Microsoft.Authorization/roleAssignments/${name}`;
  say(`Taking the role ${ROLE} away again`);
  await az.change(["role", "assignment", "delete", "--ids", id]);
}

/** Resource Manager lists names without values, and needs no role in the vault. */
async function missingKeys(context: DeployContext): Promise<readonly string[]> {
  const url = `${vaultId(context)}/secrets?api-version=2024-11-01`;
  const present = await context.az.read(
    ["rest", "--method", "get", "--url", url, "--query", "value[].name"],
    z.array(z.string()),
  );
  const names = present.map((name) => name.split("/").at(-1));
  return context.plan.keyNames.filter((name) => !names.includes(name));
}

/** The vault is asked once more, because a new sealing key would make every grant unreadable. */
async function setKeys({ say }: DeployContext, vault: Vault, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (await vault.has(name)) {
      say(`The vault has the key ${name} already.`);
      continue;
    }
    await vault.set(name, randomBytes(KEY_BYTES).toString("base64"));
    say(`Made the key ${name}: ${KEY_BYTES} random bytes. Do not make a copy of it.`);
  }
}

function vaultId({ plan }: DeployContext): string {
  const group = `/subscriptions/${plan.account.subscriptionId}/resourceGroups/${plan.group}`;
  return `${group}/providers/Microsoft.KeyVault/vaults/${plan.vaultName}`;
}

function guidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}
