/**
 * Reads the policy from a JSON file or from a tenant's .bicepparam file, with every check that the service makes when it
 * starts.
 */
import * as z from "zod/mini";
import { compileParameters } from "../../infra/compiler/compile-parameters.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { settingsFailure } from "../cli/cli-failure.ts";
import { checkPolicy } from "../policy/findings.ts";
import { type ReadFile, readJsonFile } from "../policy/json-file.ts";

export interface PolicyFile {
  readonly policy: Policy;
  /** The parameters `clientId` and `appOnly.clientId` of a .bicepparam file. */
  readonly clientId?: string | undefined;
  readonly appOnlyClientId?: string | undefined;
}

export async function readPolicyFile(path: string): Promise<PolicyFile> {
  if (!path.endsWith(".bicepparam")) {
    const file = readJsonFile(path);
    if (file.kind === "unreadable") throw settingsFailure(file.problem);
    return { policy: toPolicy(path, file, `npm run policy -- check ${path}`) };
  }
  const { clientId, appOnly, policy } = await readParameters(path);
  const file = { kind: "json", text: JSON.stringify(policy?.value ?? null, undefined, 2) } as const;
  const check = `npm run -s infra:policy -- ${path} > policy.json, and npm run policy -- check policy.json`;
  return {
    policy: toPolicy(path, file, check),
    clientId: clientId?.value.toLowerCase(),
    appOnlyClientId: appOnly?.value.clientId.toLowerCase(),
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** The other problems usually follow from the first, and `check` shows all. */
const PROBLEMS_MAX = 3;

function toPolicy(path: string, file: Exclude<ReadFile, { kind: "unreadable" }>, check: string): Policy {
  const { policy, findings } = checkPolicy(file);
  if (policy !== undefined) return policy;
  const problems = findings.slice(0, PROBLEMS_MAX).map(({ message }) => message);
  const more = findings.length > PROBLEMS_MAX ? `; and ${findings.length - PROBLEMS_MAX} more` : "";
  throw settingsFailure(`${path} has no valid policy: ${problems.join("; ")}${more}. Run: ${check}`);
}

const parametersSchema = z.object({
  clientId: z.optional(z.object({ value: z.string() })),
  appOnly: z.optional(z.object({ value: z.object({ clientId: z.string() }) })),
  policy: z.optional(z.object({ value: z.unknown() })),
});

async function readParameters(path: string): Promise<z.infer<typeof parametersSchema>> {
  const compiled = await compileParameters(path);
  if (compiled.kind === "no_compiler") {
    throw settingsFailure(`${path} needs the Bicep compiler. Run: az bicep install`);
  }
  if (compiled.kind === "errors") throw settingsFailure(`${path} does not compile. ${compiled.errors.join(" ")}`);
  const parsed = parametersSchema.safeParse(compiled.parameters);
  if (parsed.success) return parsed.data;
  throw settingsFailure(`${path} has no usable clientId or appOnly.`);
}
