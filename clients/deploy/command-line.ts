/** The arguments of `npm run deploy`. */
import { basename } from "node:path";
import { usageFailure } from "../cli/cli-failure.ts";
import { parseOptions } from "../cli/parse-options.ts";

/** In the order in which they run. */
export const STEPS = ["identity", "registrations", "service", "keys", "package", "ready"] as const;
export type StepName = (typeof STEPS)[number];

export interface Options {
  readonly file: string;
  /** Name of the parameter file without its ending. */
  readonly tenant: string;
  readonly group: string | undefined;
  readonly location: string | undefined;
  readonly uniqueName: string | undefined;
  /** As `npm run registration` takes them. */
  readonly appOnly: readonly string[];
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly steps: ReadonlySet<StepName>;
}

export const USAGE = `usage: npm run deploy -- <tenant.bicepparam> [options]

  --dry-run               check everything, show every command and what would change; change nothing
  --step <name>           run only this step; may be repeated: ${STEPS.join(", ")}
  --group <name>          resource group; default: rg-gte-<name of the parameter file>
  --location <region>     region of a resource group that does not exist yet; default: the parameter location
  --unique-name <name>    key of the registrations, if this tenant has a second deployment; default: from appIdUri
  --app-only <api>=<names>  application permissions, for client-credentials; may be repeated
  --yes                   do not ask before the change

The command uses the sign-in of the Azure CLI (az login, az account set). It can be repeated: each step does only what is
missing. Exit code 0: done; 1: a check found problems; 2: wrong usage or settings; 3: sign in first, or you said no;
4: Azure refused; 5: Azure is unavailable, or the service did not become ready.`;

export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0 || !file.endsWith(".bicepparam")) {
    throw usageFailure("Name one parameter file, for example infra/tenants/contoso.bicepparam.");
  }
  return {
    file,
    tenant: basename(file, ".bicepparam"),
    group: values.group,
    location: values.location,
    uniqueName: values["unique-name"],
    appOnly: values["app-only"],
    dryRun: values["dry-run"],
    yes: values.yes,
    steps: new Set(values.step.length > 0 ? values.step.map(toStep) : STEPS),
  };
}

// ---------------------------------------------------------------------------------------------------------------

function toStep(text: string): StepName {
  const step = STEPS.find((name) => name === text);
  if (step !== undefined) return step;
  throw usageFailure(`There is no step ${text}. The steps are ${STEPS.join(", ")}.`);
}

function parse(args: readonly string[]) {
  const flag = { type: "boolean", default: false } as const;
  const text = { type: "string" } as const;
  return parseOptions({
    args: [...args],
    allowPositionals: true,
    options: {
      "dry-run": flag,
      yes: flag,
      step: { type: "string", multiple: true, default: [] },
      group: text,
      location: text,
      "unique-name": text,
      "app-only": { type: "string", multiple: true, default: [] },
    },
  });
}
