/**
 * The resources that a template deploys with given parameters, as the Bicep compiler evaluates them. Each scenario is
 * evaluated once for all tests.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Diagnostic, Target } from "../../../infra/compiler/bicep-process.ts";
import { type AzureEnvironment, answer } from "./azure-answers.ts";
import { type Change, changedCopy } from "./changed-copy.ts";
import { openBicepWorkspace } from "./compiler.ts";
import { toBicep } from "./to-bicep.ts";

export const TENANT_ID = "00000000-0000-4000-8000-00000000000b";
const TARGET: Target = {
  tenantId: TENANT_ID,
  subscriptionId: "00000000-0000-4000-8000-00000000000a",
  resourceGroup: "rg-test",
  location: "westeurope",
  deploymentName: "main",
};

export interface Deployed {
  readonly type: string;
  /** The name. For a Graph resource its unique name, or empty if it has none. */
  readonly name: string;
  /** The resource id. Empty for a Graph resource, whose id is not known before the deployment. */
  readonly id: string;
  readonly apiVersion: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  readonly resources: readonly Deployed[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export type Parameters = Readonly<Record<string, unknown>>;

export interface DeployOptions {
  readonly environment?: AzureEnvironment;
  /** Changes one text in one file, so that a test can show that a check fails. */
  readonly change?: Change | undefined;
}

const done = new Map<string, Promise<Deployment>>();

/** `template` is a path under infra/. */
export function deploy(template: string, parameters: Parameters, options: DeployOptions = {}): Promise<Deployment> {
  const key = JSON.stringify([template, parameters, options]);
  const deployment = done.get(key) ?? evaluate(template, parameters, options);
  done.set(key, deployment);
  return deployment;
}

async function evaluate(template: string, parameters: Parameters, options: DeployOptions): Promise<Deployment> {
  const { bicep, infra } = openBicepWorkspace();
  const folder = options.change === undefined ? infra : changedCopy(options.change);
  const answered = await compileFor(options.environment ?? "AzureCloud", join(folder, template));
  const { predictedResources, outputs } = await bicep.snapshot(writeParameters(answered, parameters), TARGET);
  return { resources: predictedResources.map(toDeployed), outputs: outputs ?? {} };
}

const compiled = new Map<string, Promise<string>>();

/** Returns the path of the compiled template with the values of Azure. Compiles it once for each cloud. */
function compileFor(environment: AzureEnvironment, template: string): Promise<string> {
  const key = `${environment} ${template}`;
  const path = compiled.get(key) ?? writeCompiled(environment, template);
  compiled.set(key, path);
  return path;
}

async function writeCompiled(environment: AzureEnvironment, template: string): Promise<string> {
  const { contents, diagnostics } = await openBicepWorkspace().bicep.compile(template);
  if (contents === undefined) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  const path = template.replace(/\.bicep$/, `.${environment}.json`);
  writeFileSync(path, answer(contents, environment));
  return path;
}

/**
 * The errors of the compiler for these parameters, each with the text at its position in the parameter file.
 */
export async function refusals(template: string, parameters: Parameters): Promise<readonly string[]> {
  const { bicep, infra } = openBicepWorkspace();
  const path = writeParameters(join(infra, template), parameters);
  const text = parameterFile(template, parameters).split("\n");
  const placeOf = ({ range }: Diagnostic) => (text[range.start.line] ?? "").slice(range.start.char, range.end.char);
  const { diagnostics } = await bicep.compile(path);
  return diagnostics
    .filter(({ level, source }) => level === "Error" && source === path)
    .map((diagnostic) => `${diagnostic.code} ${placeOf(diagnostic)}: ${diagnostic.message}`);
}

let files = 0;
function fileCount(): number {
  files += 1;
  return files;
}

/** Writes the file next to its template, so that the same bicepconfig.json applies. */
function writeParameters(template: string, parameters: Parameters): string {
  const path = join(dirname(template), `scenario-${fileCount()}.bicepparam`);
  writeFileSync(path, parameterFile(template, parameters));
  return path;
}

function parameterFile(template: string, parameters: Parameters): string {
  const file = template.split(/[\\/]/).at(-1) ?? "";
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  return [`using '${file}'`, ...given.map(([name, value]) => `param ${name} = ${toBicep(value)}`), ""].join("\n");
}

function toDeployed(body: Readonly<Record<string, unknown>>): Deployed {
  // Graph resources have the API version in the type and the name in the properties.
  const [type = "", version = ""] = String(body["type"]).split("@");
  const properties = (body["properties"] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    type,
    name: String(body["name"] ?? properties["uniqueName"] ?? properties["name"] ?? ""),
    id: String(body["id"] ?? ""),
    apiVersion: String(body["apiVersion"] ?? version),
    body,
  };
}
