/** The checks before anything is made: all problems at once. They only read. */
import { CliFailure } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import { AzFailure } from "../az/az-failure.ts";
import type { StepName } from "../command-line.ts";
import type { DeployContext } from "../context.ts";
import { checkNames } from "./check-names.ts";
import { checkProviders, checkQuotas, checkRegion, checkTools, type Finding } from "./check-platform.ts";
import { checkOwner, checkPermissionNames, checkTenant } from "./check-registrations.ts";
import { checkAzureRights, checkDirectoryRights } from "./check-rights.ts";

export interface Checked {
  /** The version of Node.js in place of the one in the template. */
  readonly nodeVersion: string | undefined;
  readonly unregistered: readonly string[];
}

interface Check {
  readonly what: string;
  /** Undefined: always. */
  readonly steps?: readonly StepName[];
  run(context: DeployContext): Promise<Finding>;
}

const CHECKS: readonly Check[] = [
  { what: "the versions of the tools", run: checkTools },
  { what: "the tenant", steps: ["registrations"], run: checkTenant },
  { what: "the rights in Azure", run: checkAzureRights },
  { what: "the rights in Entra", steps: ["registrations"], run: checkDirectoryRights },
  { what: "the resource providers", steps: ["service"], run: checkProviders },
  { what: "the region", steps: ["service"], run: checkRegion },
  { what: "the names", steps: ["service"], run: checkNames },
  { what: "the quotas", steps: ["service"], run: checkQuotas },
  { what: "the owner of the registration", steps: ["registrations"], run: checkOwner },
  { what: "the names in the policy", steps: ["registrations"], run: checkPermissionNames },
];

export async function checkFirst(context: DeployContext): Promise<Checked> {
  const { options, say } = context;
  const found: Finding[] = [];
  for (const check of CHECKS) {
    if (check.steps?.some((step) => options.steps.has(step)) === false) continue;
    say(`Checking ${check.what}`);
    found.push(await runCheck(check, context));
  }
  for (const notice of found.flatMap(({ notices = [] }) => notices)) say(`notice: ${notice}`);
  const problems = found.flatMap(({ problems: some = [] }) => some);
  for (const problem of problems) say(`problem: ${problem}`);
  if (problems.length > 0) {
    const count = problems.length === 1 ? "one problem" : `${problems.length} problems`;
    throw new CliFailure(EXIT.internal, "checks", `The checks found ${count}. Nothing was changed.`);
  }
  return {
    nodeVersion: found.find(({ nodeVersion }) => nodeVersion !== undefined)?.nodeVersion,
    unregistered: found.flatMap(({ unregistered = [] }) => unregistered),
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** A check that fails is a problem: its answer is unknown. An account with rights on its group only may not ask everything. */
async function runCheck({ what, run }: Check, context: DeployContext): Promise<Finding> {
  try {
    return await run(context);
  } catch (error) {
    if (!(error instanceof AzFailure) || error.kind === "not_signed_in") throw error;
    if (error.kind === "forbidden") {
      return { notices: [`${context.plan.account.name} may not ask for ${what}, so this was not checked.`] };
    }
    return { problems: [`Could not check ${what}: ${error.message} Command: ${error.line}`] };
  }
}
