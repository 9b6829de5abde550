/** The program around `runDeploy`: its help, and its failures as text and exit code. */
import { CliFailure } from "../cli/cli-failure.ts";
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import { AzFailure, type AzFailureKind } from "./az/az-failure.ts";
import { USAGE } from "./command-line.ts";
import { runDeploy } from "./run-deploy.ts";
import type { World } from "./world.ts";

export async function deployProgram(args: readonly string[], world: World): Promise<ExitCode> {
  const { terminal } = world;
  if (args.includes("--help") || args.includes("-h")) {
    terminal.out(`${USAGE}\n`);
    return EXIT.ok;
  }
  try {
    return await runDeploy(args, world);
  } catch (error) {
    if (error instanceof AzFailure) {
      terminal.note(describe(error));
      return EXIT_CODES[error.kind] ?? EXIT.refused;
    }
    if (!(error instanceof CliFailure)) throw error;
    terminal.note(error.message);
    if (error.code === "usage") terminal.note(USAGE);
    return error.exitCode;
  }
}

// ---------------------------------------------------------------------------------------------------------------

const EXIT_CODES: Partial<Record<AzFailureKind, ExitCode>> = {
  not_installed: EXIT.usage,
  not_signed_in: EXIT.signIn,
  throttled: EXIT.unavailable,
  unreachable: EXIT.unavailable,
  busy: EXIT.unavailable,
};

/** What the person does next. */
const REMEDIES: Record<AzFailureKind, string> = {
  not_installed: "Install it: https://learn.microsoft.com/cli/azure/install-azure-cli. On Windows, use WSL.",
  not_signed_in: "Run: az login",
  forbidden: "The account lacks a right. docs/deploy.md lists the rights of each step.",
  role_is_new: "The role assignment did not take effect in ten minutes. Check that nobody removed it.",
  replication: "Entra still does not find what it has created.",
  throttled: "Azure still limits the number of requests.",
  unreachable: "Azure still does not answer.",
  busy: "Another operation is still running on this resource.",
  host_key: "The package is uploaded.",
  deleted_vault: "Set recoverDeletedVault to true for this deployment: Azure then restores the vault with its secrets.",
  quota: "Request a higher quota for the region, or choose another region.",
  other: "",
};

function describe({ kind, message, line }: AzFailure): string {
  const remedy = REMEDIES[kind];
  return [
    `The command failed: ${line}`,
    `  ${message}`,
    ...(remedy === "" ? [] : [`  ${remedy}`]),
    "Run the same command again when this is solved. It goes on where it stopped, and makes nothing twice.",
  ].join("\n");
}
