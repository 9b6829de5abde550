/**
 * Reads the policy from a JSON file or from a tenant's .bicepparam file. Other problems than a wrong form are the subject
 * of `npm run policy -- check`.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import * as z from "zod/mini";
import { startBicep } from "../../infra/compiler/bicep-process.ts";
import { findCompiler } from "../../infra/compiler/find-compiler.ts";
import { type Policy, policySchema } from "../../shared/policy/rules.ts";
import { settingsFailure } from "../cli/cli-failure.ts";

export interface PolicyFile {
  readonly policy: Policy;
  /** The parameters `clientId` and `appOnly.clientId` of a .bicepparam file. */
  readonly clientId?: string | undefined;
  readonly appOnlyClientId?: string | undefined;
}

export async function readPolicyFile(path: string): Promise<PolicyFile> {
  if (!path.endsWith(".bicepparam")) return { policy: toPolicy(path, parseJson(read(path), path)) };
  const { clientId, appOnly, policy } = await compileParameters(path);
  return {
    policy: toPolicy(path, policy?.value),
    clientId: clientId?.value.toLowerCase(),
    appOnlyClientId: appOnly?.value.clientId.toLowerCase(),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function read(path: string): string {
  try {
    // As for the setting, a byte order mark or a line break around the text is ignored.
    return readFileSync(path, "utf8").trim();
  } catch {
    throw settingsFailure(`${path} cannot be read.`);
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw settingsFailure(`${path} is not JSON.`);
  }
}

function toPolicy(path: string, value: unknown): Policy {
  const parsed = policySchema.safeParse(value);
  if (parsed.success && namesOnlyKnown(parsed.data)) return parsed.data;
  throw settingsFailure(`${path} has no valid policy. Run: npm run policy -- check ${path}`);
}

/** The report would be silent about an entry whose registration or API does not exist. */
function namesOnlyKnown({ apis, registrations, callers }: Policy): boolean {
  return callers.every(
    ({ registration, apis: lists }) =>
      (registration === undefined || Object.hasOwn(registrations, registration)) &&
      Object.keys(lists).every((api) => Object.hasOwn(apis, api)),
  );
}

const parametersSchema = z.object({
  parameters: z.object({
    clientId: z.optional(z.object({ value: z.string() })),
    appOnly: z.optional(z.object({ value: z.object({ clientId: z.string() }) })),
    policy: z.optional(z.object({ value: z.unknown() })),
  }),
});

async function compileParameters(path: string): Promise<z.infer<typeof parametersSchema>["parameters"]> {
  const { compiler } = findCompiler();
  if (compiler === undefined) throw settingsFailure(`${path} needs the Bicep compiler. Run: az bicep install`);
  const bicep = startBicep(compiler);
  try {
    const { contents, diagnostics } = await bicep.compile(resolve(path));
    const errors = diagnostics.filter(({ level }) => level === "Error").map(({ message }) => message);
    const parsed = parametersSchema.safeParse(parseJson(contents ?? "null", path));
    if (parsed.success) return parsed.data.parameters;
    throw settingsFailure(`${path} does not compile. ${errors.join(" ")}`);
  } finally {
    bicep.close();
  }
}
