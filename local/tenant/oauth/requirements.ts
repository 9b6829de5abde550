/**
 * Claims challenges (https://learn.microsoft.com/entra/identity-platform/claims-challenge): what a conditional access
 * policy requires, and what a sign-in has satisfied. A user satisfies a claims challenge only by a new sign-in with the
 * same `claims` (CC-3). The sealed part of the token lists what is satisfied.
 */
import type { Registration, User } from "../directory/directory.ts";
import { EntraError, entraError } from "../errors/entra-error.ts";
import { asRecord } from "../http/json-object.ts";

export interface Requirement {
  readonly id: string;
  /** Object id. Absent: every user. */
  readonly userOid?: string;
  /** Client id. Absent: every client. */
  readonly clientId?: string;
  readonly resourceId: string;
  /** The claims challenge as the JSON text that Entra sends. */
  readonly claims: string;
  readonly code: number;
}

export interface ClaimsRequest {
  /** `acrs:…` and `capolids:…` entries. */
  readonly demands: string[];
  /** The capabilities that the client declared (E-40). */
  readonly capabilities: string[];
}

export function parseClaimsRequest(text: string | undefined): ClaimsRequest {
  if (text === undefined || text === "") return { demands: [], capabilities: [] };
  const members = accessTokenMembers(text);
  const demands = ["acrs", "capolids"].flatMap((name) => valuesOf(members[name]).map((value) => `${name}:${value}`));
  return { demands, capabilities: valuesOf(members["xms_cc"]) };
}

export interface RequirementSubject {
  readonly user: User;
  readonly client: Registration;
  readonly resource: Registration;
  readonly satisfied: readonly string[];
}

export interface UnmetRequirement extends Requirement {
  readonly demands: readonly string[];
}

export function unmetRequirements(
  requirements: readonly Requirement[],
  { user, client, resource, satisfied }: RequirementSubject,
): UnmetRequirement[] {
  return requirements
    .filter(
      (one) =>
        (one.userOid ?? user.oid) === user.oid &&
        (one.clientId ?? client.clientId) === client.clientId &&
        one.resourceId === resource.clientId,
    )
    .map((one) => ({ ...one, demands: parseClaimsRequest(one.claims).demands }))
    .filter((one) => !one.demands.every((demand) => satisfied.includes(demand)));
}

export function assertRequirementsMet(requirements: readonly Requirement[], subject: RequirementSubject): void {
  const [unmet] = unmetRequirements(requirements, subject);
  if (unmet === undefined) return;
  throw new EntraError(unmet.code, { claims: unmet.claims, values: { resource: subject.resource.clientId } });
}

/** Throws if the client requires more in `claims` than the sign-in behind the grant has satisfied. */
export function assertClaimsMet(claims: string | undefined, { resource, satisfied }: RequirementSubject): void {
  const { demands } = parseClaimsRequest(claims);
  if (claims === undefined || demands.every((demand) => satisfied.includes(demand))) return;
  throw new EntraError(50076, { claims: demandsOf(claims), values: { resource: resource.clientId } });
}

/** The required claims, without the client's capabilities. */
function demandsOf(claims: string): string {
  const { xms_cc: _, ...demands } = accessTokenMembers(claims);
  return JSON.stringify({ access_token: demands });
}

function accessTokenMembers(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return asRecord(asRecord(parsed)["access_token"]);
  } catch {
    throw entraError(90013);
  }
}

function valuesOf(member: unknown): string[] {
  const { value, values } = asRecord(member);
  const all = Array.isArray(values) ? values : [value];
  return all.filter((one) => typeof one === "string");
}
