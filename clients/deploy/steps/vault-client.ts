/** Two requests to Key Vault: whether a secret exists, and to set one. Never reads a value. */
import * as z from "zod/mini";
import { CliFailure, settingsFailure } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import { AzFailure } from "../az/az-failure.ts";
import type { DeployContext } from "../context.ts";
import type { Answer } from "../world.ts";

export interface Vault {
  has(name: string): Promise<boolean>;
  set(name: string, value: string): Promise<void>;
}

/** Needs the role Key Vault Secrets Officer. Waits until a new role assignment works. */
export async function connectVault(context: DeployContext, vaultUrl: string): Promise<Vault> {
  const host = URL.canParse(vaultUrl) ? new URL(vaultUrl) : undefined;
  // The token is sent to this address.
  if (host?.protocol !== "https:" || !host.hostname.startsWith(`${context.plan.vaultName}.`)) {
    throw settingsFailure(`${vaultUrl} is not the address of the vault ${context.plan.vaultName}.`);
  }
  const token = await readToken(context, `https://${host.hostname.split(".").slice(1).join(".")}`);
  const call = (path: string, init: RequestInit = {}) =>
    callPatiently(context, `${host.origin}${path}?api-version=${API_VERSION}`, {
      ...init,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    });
  return {
    has: async (name) => {
      const answer = await call(`/secrets/${name}/versions`);
      if (answer.status === 404) return false;
      return z.parse(versionsSchema, JSON.parse(answer.text)).value.length > 0;
    },
    set: async (name, value) => {
      const answer = await call(`/secrets/${name}`, { method: "PUT", body: JSON.stringify({ value }) });
      if (answer.status === 200) return;
      throw refused(context, answer, name);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

const API_VERSION = "7.6";
const versionsSchema = z.object({ value: z.array(z.unknown()) });
const errorSchema = z.object({
  error: z.object({ code: z.string(), innererror: z.optional(z.nullable(z.object({ code: z.string() }))) }),
});
const WAIT_SECONDS = 15;
/** Ten minutes, which is how long a role assignment takes at most. */
const ATTEMPTS = 40;

/** Not shown, because its output is the token. */
async function readToken({ world }: DeployContext, resource: string): Promise<string> {
  const args = ["account", "get-access-token", "--resource", resource, "--query", "accessToken", "--output", "tsv"];
  const { code, out } = await world.start("az", args, 60_000);
  const token = out.trim();
  if (code === 0 && /^[\w.~+/-]+=*$/.test(token)) return token;
  throw new AzFailure(
    "not_signed_in",
    `az account get-access-token --resource ${resource}`,
    "There is no token for the vault.",
  );
}

async function callPatiently(context: DeployContext, url: string, init: RequestInit): Promise<Answer> {
  const { world, say } = context;
  for (let attempt = 1; ; attempt += 1) {
    const answer = await world.send(url, init).catch(() => undefined);
    const reason = passingReason(answer);
    if (answer !== undefined && reason === undefined) return checked(context, answer);
    if (attempt === ATTEMPTS) throw unavailable(reason ?? "The vault does not answer.");
    say(`  ${reason} Next attempt in ${WAIT_SECONDS} seconds.`);
    await world.pause(WAIT_SECONDS * 1_000);
  }
}

/** Undefined: the answer will not change. */
function passingReason(answer: Answer | undefined): string | undefined {
  if (answer === undefined) return "The vault does not answer.";
  if (answer.status === 429) return "The vault limits the number of requests.";
  if (answer.status >= 500) return `The vault answers ${answer.status}.`;
  // https://learn.microsoft.com/azure/key-vault/general/rest-error-codes
  if (answer.status === 403 && innerCode(answer) === "ForbiddenByRbac") {
    return "The role assignment is new, and the vault does not apply it yet.";
  }
  return undefined;
}

function checked(context: DeployContext, answer: Answer): Answer {
  if (answer.status < 400 || answer.status === 404 || answer.status === 409) return answer;
  throw refused(context, answer, "the secrets");
}

function refused({ plan }: DeployContext, answer: Answer, name: string): CliFailure {
  const code = innerCode(answer) ?? `status ${answer.status}`;
  const remedy: Readonly<Record<string, string>> = {
    ForbiddenByConnection: `Its network does not admit this machine. Run the step on a machine in the network, or add its address to allowedIpRanges.`,
    ForbiddenByFirewall: `Its network does not admit this machine. Run the step on a machine in the network, or add its address to allowedIpRanges.`,
    ObjectIsDeletedButRecoverable: `Restore it: az keyvault secret recover --vault-name ${plan.vaultName} --name ${name}`,
  };
  const text = `The vault ${plan.vaultName} refused ${name} (${code}). ${remedy[code] ?? ""}`.trim();
  return new CliFailure(EXIT.refused, "vault_refused", text);
}

function unavailable(reason: string): CliFailure {
  return new CliFailure(EXIT.unavailable, "vault_unavailable", `${reason} Ten minutes have passed.`);
}

function innerCode({ text }: Answer): string | undefined {
  try {
    const { error } = z.parse(errorSchema, JSON.parse(text));
    return error.innererror?.code ?? error.code;
  } catch {
    return undefined;
  }
}
