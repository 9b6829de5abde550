/** Builds the package and uploads it, unless the service already runs this version. */
import { CliFailure } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import { AzFailure } from "../az/az-failure.ts";
import { shellLine } from "../az/shell-line.ts";
import type { DeployContext, Service } from "../context.ts";

const BUILD_TIMEOUT_MS = 10 * 60_000;

export async function uploadPackage(context: DeployContext, service: Service | undefined): Promise<void> {
  const { plan, say, world } = context;
  const version = world.version();
  if (service !== undefined && (await runs(context, service, version))) {
    say(`The service runs ${version} already.`);
    return;
  }
  await build(context);
  // biome-ignore format: one command
  const args = ["functionapp", "deployment", "source", "config-zip", "--resource-group", plan.group, "--name", plan.appName,
    "--src", "dist/package.zip", "--build-remote", "false", "--output", "none"];
  try {
    await context.az.change(args, ["role_is_new"]);
  } catch (error) {
    if (!(error instanceof AzFailure) || error.kind !== "host_key") throw error;
    say("notice: The CLI could not check the app after the upload. The next step does.");
  }
}

// ---------------------------------------------------------------------------------------------------------------

/** Of a checkout with changes, two packages can have one version. */
async function runs({ world }: DeployContext, { serviceUrl }: Service, version: string): Promise<boolean> {
  if (version.endsWith(".changed")) return false;
  const answer = await world.send(`${serviceUrl}/healthz`).catch(() => undefined);
  return answer?.headers.get("x-service-version") === version;
}

async function build({ world, options }: DeployContext): Promise<void> {
  const args = ["run", "--silent", "package"];
  world.terminal.note(`${options.dryRun ? "would run:" : "$"} ${shellLine("npm", args)}`);
  if (options.dryRun) return;
  const { code, errors } = await world.start("npm", args, BUILD_TIMEOUT_MS);
  if (code === 0) return;
  world.terminal.note(errors);
  throw new CliFailure(EXIT.internal, "build", "The package could not be built.");
}
