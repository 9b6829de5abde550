/**
 * What a template would deploy with given parameters: compiled and evaluated by the Bicep compiler. Each scenario is
 * evaluated once in a run, however many tests look at it.
 */
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Diagnostic, Target } from "../../../infra/compiler/bicep-process.ts";
import { type AzureEnvironment, answer } from "./azure-answers.ts";
import { type Change, changedCopy } from "./changed-copy.ts";
import { openWorkshop } from "./compiler.ts";
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
  /** Of a Graph resource its unique name, or empty where it has none. */
  readonly name: string;
  /** Empty for a Graph resource, which has none before it is made. */
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
  /** One place of one file changed, for showing that a check can fail. */
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
  const { bicep, infra } = openWorkshop();
  const folder = options.change === undefined ? infra : changedCopy(options.change);
  const answered = await compileFor(options.environment ?? "AzureCloud", join(folder, template));
  const { predictedResources, outputs } = await bicep.snapshot(writeParameters(answered, parameters), TARGET);
  return { resources: predictedResources.map(toDeployed), outputs: outputs ?? {} };
}

const compiled = new Map<string, Promise<string>>();

/** Path of the compiled template with Azure's answers in it. Compiled once for each cloud. */
function compileFor(environment: AzureEnvironment, template: string): Promise<string> {
  const key = `${environment} ${template}`;
  const path = compiled.get(key) ?? writeCompiled(environment, template);
  compiled.set(key, path);
  return path;
}

async function writeCompiled(environment: AzureEnvironment, template: string): Promise<string> {
  const { contents, diagnostics } = await openWorkshop().bicep.compile(template);
  if (contents === undefined) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  const path = template.replace(/\.bicep$/, `.${environment}.json`);
  writeFileSync(path, answer(contents, environment));
  return path;
}

/**
 * What the compiler has against these parameters, before anything is deployed: each problem with the place in the
 * parameter file that it is about.
 */
export async function refusals(template: string, parameters: Parameters): Promise<readonly string[]> {
  const { bicep, infra } = openWorkshop();
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

/** Beside its template, so that the compiler's configuration is the same. */
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
  // Graph resources carry their version behind the type, and their name among the properties.
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
