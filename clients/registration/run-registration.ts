/** `npm run registration`: what a policy needs in Entra. Reads the tenant, and changes nothing in it. */
import { readFileSync, writeFileSync } from "node:fs";
import { isGraph } from "../../shared/core/graph-resource.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { settingsFailure, usageFailure } from "../cli/cli-failure.ts";
import { EXIT, type ExitCode } from "../cli/exit-codes.ts";
import { networkFrom } from "../cli/network.ts";
import type { Terminal } from "../cli/terminal.ts";
import { administratorToken } from "./administrator-token.ts";
import { type Options, readOptions } from "./command-line.ts";
import { describeFindings, describeProblem, describeRegistration } from "./describe-result.ts";
import { type FindApi, findInList, findInTenant } from "./find-api.ts";
import { createGraphClient } from "./graph-client.ts";
import { readGraphPermissions } from "./graph-permissions.ts";
import { readPolicyFile } from "./read-policy-file.ts";
import { type RegistrationReport, readReports } from "./read-reports.ts";
import { readServicePrincipals } from "./read-service-principals.ts";
import { requiredRegistrations } from "./required-permissions.ts";
import {
  type ResolvedRegistration,
  type ResolvedRegistrations,
  resolveRegistrations,
} from "./resolve-registrations.ts";
import { applicationClients, type PrincipalIds, templateParameters, userClients } from "./template-parameters.ts";

const TIMEOUT_MS = 30_000;

export async function runRegistration(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const options = readOptions(args);
  const file = await readPolicyFile(options.policy);
  const ids = {
    clientId: options.clientId ?? file.clientId,
    appOnlyClientId: options.appOnlyClientId ?? file.appOnlyClientId,
  };
  const required = requiredRegistrations(file.policy, ids, checkedAppOnly(options, file.policy));
  const graph = createGraphClient({
    url: options.graphUrl ?? graphOf(file.policy),
    network: networkFrom(terminal.env, TIMEOUT_MS),
    token: () => administratorToken({ fromInput: options.tokenStdin, terminal }),
  });
  const inTenant = options.offline ? undefined : findInTenant(graph);
  const sources = { graph: readGraphPermissions(), inFile: findInList(tenantData(options)), inTenant };
  const result = await resolveRegistrations(required, sources);
  if (result.problems.length > 0) return writeProblems(result, options, terminal);
  const principals = await principalIds(result.registrations, options, inTenant, terminal);
  if (options.parameters !== undefined) writeParameters(options.parameters, result.registrations, principals);
  const tenant = { find: findInTenant(graph), graph, principals };
  const reports = options.report ? await readReports(result.registrations, tenant) : [];
  writeResult(result, reports, options, terminal);
  return reports.some(({ findings }) => findings.length > 0) ? EXIT.internal : EXIT.ok;
}

// ---------------------------------------------------------------------------------------------------------------

function checkedAppOnly({ appOnly }: Options, { apis }: Policy): Options["appOnly"] {
  const unknown = Object.keys(appOnly).find((api) => !Object.hasOwn(apis, api));
  if (unknown === undefined) return appOnly;
  throw usageFailure(`--app-only names ${unknown}, but the policy has only ${Object.keys(apis).join(", ")}.`);
}

/** The policy says in which cloud the tenant is. */
function graphOf({ apis }: Policy): string {
  return Object.values(apis).find(({ resource }) => isGraph(resource))?.resource ?? "https://graph.microsoft.com";
}

function tenantData({ tenantData: path }: Options) {
  if (path === undefined) return [];
  const apis = readServicePrincipals(readText(path));
  if (apis !== undefined) return apis;
  throw settingsFailure(`${path} must contain service principals: az ad sp show --id <application id> > ${path}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    throw settingsFailure(`${path} cannot be read.`);
  }
}

/** Object ids of the calling applications: needed for the assignments only. */
async function principalIds(
  registrations: readonly ResolvedRegistration[],
  options: Options,
  find: FindApi | undefined,
  terminal: Terminal,
): Promise<PrincipalIds> {
  const ids = new Map<string, string>();
  if (options.parameters === undefined && !options.report) return ids;
  const clients = new Set(registrations.flatMap(({ callers }) => applicationClients(callers)));
  if (find === undefined && clients.size > 0) {
    terminal.note(
      "--offline: the calling applications are not looked up. Assign Exchange.Call with applicationCallers.",
    );
  }
  for (const clientId of find === undefined ? [] : clients) {
    const objectId = (await find?.(clientId))?.objectId;
    if (objectId !== undefined) ids.set(clientId, objectId);
    else terminal.note(`No service principal in this tenant has the client id ${clientId}.`);
  }
  return ids;
}

function writeParameters(path: string, registrations: readonly ResolvedRegistration[], ids: PrincipalIds): void {
  writeFileSync(path, `${JSON.stringify(templateParameters(registrations, ids), undefined, 2)}\n`);
}

function writeProblems({ problems, notes }: ResolvedRegistrations, { json }: Options, terminal: Terminal): ExitCode {
  if (json) terminal.out(`${JSON.stringify({ problems, notes }, undefined, 2)}\n`);
  else terminal.note([...problems.flatMap(describeProblem), ...notes].join("\n"));
  return EXIT.internal;
}

function writeResult(
  { registrations, notes }: ResolvedRegistrations,
  reports: readonly RegistrationReport[],
  { json }: Options,
  terminal: Terminal,
): void {
  if (json) {
    const report = reports.map(({ registration: { name, clientId }, findings }) => ({ name, clientId, findings }));
    terminal.out(`${JSON.stringify({ registrations: registrations.map(toJson), report, notes }, undefined, 2)}\n`);
    return;
  }
  for (const note of notes) terminal.note(note);
  const described = [
    ...registrations.map(describeRegistration),
    ...reports.map(({ registration, findings }) => describeFindings(registration, findings)),
  ];
  terminal.out(`${described.map((lines) => lines.join("\n")).join("\n\n")}\n`);
}

/** With `requiredResourceAccess` in the form of an application's manifest. */
function toJson({ name, clientId, apis, callers }: ResolvedRegistration): object {
  const requiredResourceAccess = apis.map(({ appId, permissions, kind }) => ({
    resourceAppId: appId,
    resourceAccess: permissions.map(({ id }) => ({ id, type: kind === "delegated" ? "Scope" : "Role" })),
  }));
  return { name, clientId, apis, requiredResourceAccess, preAuthorizedClientIds: userClients(callers) };
}
