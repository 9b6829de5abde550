/**
 * Resolves the names of all APIs and permissions of all registrations. Microsoft Graph is resolved with the list of this
 * repository; every other API, and a permission that the list does not have, is looked up in the tenant.
 */
import { isGraph } from "../../shared/core/graph-resource.ts";
import { GUID } from "../../shared/core/guid.ts";
import type { CallerRule } from "../../shared/policy/rules.ts";
import { CliFailure } from "../cli/cli-failure.ts";
import type { Api } from "./api.ts";
import type { FindApi } from "./find-api.ts";
import type { RequiredApi, RequiredRegistration } from "./required-permissions.ts";
import { type NameProblem, type Resolution, type ResolvedApi, resolvePermissions } from "./resolve-permissions.ts";

export interface ApiSources {
  /** Microsoft Graph as this repository lists it. */
  readonly graph: Api;
  /** Service principals in a file of the administrator. */
  readonly inFile: FindApi;
  /** Undefined: no request leaves this machine. */
  readonly inTenant: FindApi | undefined;
}

export interface ResolvedRegistration {
  readonly name: string;
  readonly clientId: string | undefined;
  readonly apis: readonly ResolvedApi[];
  readonly callers: readonly CallerRule[];
}

export interface ResolvedRegistrations {
  readonly registrations: readonly ResolvedRegistration[];
  /** One for each API and permission, whichever registrations have it. */
  readonly problems: readonly NameProblem[];
  readonly notes: readonly string[];
}

export async function resolveRegistrations(
  required: readonly RequiredRegistration[],
  sources: ApiSources,
): Promise<ResolvedRegistrations> {
  const notes = new Set<string>();
  const problems = new Map<string, NameProblem>();
  const registrations: ResolvedRegistration[] = [];
  for (const { name, clientId, callers, apis } of required) {
    const resolved: ResolvedApi[] = [];
    for (const api of apis) {
      const resolution = await resolveApi(api, sources, notes);
      const twin = resolved.find(({ appId }) => appId === resolution.resolved?.appId);
      if (resolution.resolved !== undefined) resolved.push(resolution.resolved);
      const repeated = twin === undefined ? [] : [sameApi(api, twin)];
      for (const problem of [...resolution.problems, ...repeated])
        problems.set(`${problem.api}\n${problem.permission}`, problem);
    }
    registrations.push({ name, clientId, callers, apis: resolved });
  }
  return { registrations, problems: [...problems.values()], notes: [...notes] };
}

// ---------------------------------------------------------------------------------------------------------------

type Attempt = Resolution | { readonly resolved: undefined; readonly problems: readonly NameProblem[] };

async function resolveApi(required: RequiredApi, sources: ApiSources, notes: Set<string>): Promise<Attempt> {
  const { resource } = required;
  const listed = (await sources.inFile(resource)) ?? (isGraph(resource) ? sources.graph : undefined);
  if (listed !== undefined) {
    const resolution = resolvePermissions(required, listed);
    if (resolution.problems.length === 0 || sources.inTenant === undefined) return resolution;
    const newer = await findNewer(sources.inTenant, resource, notes);
    return newer === undefined ? resolution : resolvePermissions(required, newer);
  }
  const api = await sources.inTenant?.(resource);
  return api === undefined
    ? { resolved: undefined, problems: [unknownApi(required, sources.inTenant !== undefined)] }
    : resolvePermissions(required, api);
}

/** Entra puts the permissions of both into each token, so both would have surplus. */
function sameApi({ api, permissions }: RequiredApi, twin: ResolvedApi): NameProblem {
  const places = [...new Set(permissions.flatMap((permission) => permission.places))];
  const problem = `is the same API as apis.${twin.api} (${twin.displayName} ${twin.appId}). List it once.`;
  return { api, permission: undefined, places, problem, meant: undefined };
}

/** Without a sign-in, the answer of the list is good enough. */
async function findNewer(find: FindApi, resource: string, notes: Set<string>): Promise<Api | undefined> {
  try {
    return await find(resource);
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    notes.add(`The permissions were compared with the list of this repository only. ${error.message}`);
    return undefined;
  }
}

function unknownApi({ api, resource, permissions }: RequiredApi, asked: boolean): NameProblem {
  const places = [...new Set(permissions.flatMap((permission) => permission.places))];
  const create = GUID.test(resource)
    ? `If it is right, create the service principal: az ad sp create --id ${resource}`
    : "Compare it with the App ID URI in the API's registration (Expose an API). An API of another company needs a " +
      "service principal in this tenant: az ad sp create --id <its application id>";
  const problem = asked
    ? `No service principal in this tenant has the name ${resource}. ${create}`
    : `${resource} is looked up in the tenant. Omit --offline, or name a file with its service principal in --tenant-data.`;
  return { api, permission: undefined, places, problem, meant: undefined };
}
