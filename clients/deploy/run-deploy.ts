/** `npm run deploy`: the whole deployment of one tenant, in order. */
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import { createAz } from "./az/az.ts";
import { type Options, readOptions, type StepName } from "./command-line.ts";
import type { DeployContext, Identity } from "./context.ts";
import { readPlan } from "./plan/read-plan.ts";
import { type Checked, checkFirst } from "./steps/check.ts";
import { makeIdentity, requiredIdentity } from "./steps/identity.ts";
import { makeKeys } from "./steps/keys.ts";
import { uploadPackage } from "./steps/package.ts";
import { prepareSubscription } from "./steps/prepare.ts";
import { waitUntilReady } from "./steps/ready.ts";
import { makeRegistrations } from "./steps/registrations.ts";
import { confirmChanges, deployedService, deployService, uploadPolicy } from "./steps/service.ts";
import { summary } from "./summary.ts";
import type { World } from "./world.ts";

/**
 * Checks everything first, and changes nothing while a check has a problem. Then identity → registrations → service →
 * keys → package → readiness. Each step does what is missing, so a run after a failure goes on where it stopped.
 */
export async function runDeploy(args: readonly string[], world: World): Promise<ExitCode> {
  const context = await createContext(readOptions(args), world);
  const { plan, say } = context;
  say(`Deploying ${plan.tenant} into ${plan.group} (${plan.location}), subscription ${plan.account.subscriptionId}`);
  const checked = await checkFirst(context);
  await prepareSubscription(context, checked);
  const identity = await identityOf(context);
  if (begin(context, "registrations", plan.uniqueName)) await makeRegistrations(context, identity);
  const service = await serviceOf(context, checked, identity);
  if (begin(context, "keys", plan.vaultName)) await makeKeys(context, service);
  if (begin(context, "package", plan.appName)) await uploadPackage(context, service);
  if (begin(context, "ready", plan.serviceUrl)) await waitUntilReady(context);
  say(summary(context));
  return EXIT.ok;
}

// ---------------------------------------------------------------------------------------------------------------

async function createContext(options: Options, world: World): Promise<DeployContext> {
  const az = createAz(world, options.dryRun);
  const plan = await readPlan(options, world, az);
  return { options, plan, az, world, say: (text) => world.terminal.note(text) };
}

/** Whether the person selected the step. Says that it begins. */
function begin({ options, say }: DeployContext, step: StepName, what: string): boolean {
  const selected = options.steps.has(step);
  if (selected) say(`\n[${step}] ${what}`);
  return selected;
}

/** Makes the identity, or finds it for a later step. */
async function identityOf(context: DeployContext): Promise<Identity | undefined> {
  const { options, plan } = context;
  if (begin(context, "identity", plan.identityName)) return makeIdentity(context);
  const isNeeded = options.steps.has("registrations") || options.steps.has("service");
  return isNeeded ? requiredIdentity(context) : undefined;
}

/** Deploys the service after a yes, or finds it for a later step. */
async function serviceOf(context: DeployContext, checked: Checked, identity: Identity | undefined) {
  const { options, plan } = context;
  if (begin(context, "service", plan.group)) {
    await confirmChanges(context, checked);
    const service = await deployService(context, checked, identity);
    await uploadPolicy(context, service);
    return service;
  }
  const isNeeded = options.steps.has("keys") || options.steps.has("package");
  return isNeeded ? deployedService(context) : undefined;
}
