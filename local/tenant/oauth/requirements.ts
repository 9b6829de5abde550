/**
 * Claims challenges (https://learn.microsoft.com/entra/identity-platform/claims-challenge): what a conditional access policy demands, and what a grant has already satisfied.
 * A demand is met only by signing in again with the same `claims` (CC-3); what was met travels in the token, sealed.
 */
import type { Registration, User } from "../directory/directory.ts";
import { EntraError, entraError } from "../errors/entra-error.ts";

export interface Requirement {
  readonly id: string;
  /** Object id; absent = everybody. */
  readonly userOid?: string;
  /** Client id; absent = every client. */
  readonly clientId?: string;
  readonly resourceId: string;
  /** The demand, as the JSON text Entra sends. */
  readonly claims: string;
  readonly code: number;
}

export interface ClaimsRequest {
  /** `acrs:…` and `capolids:…` entries. */
  readonly demands: string[];
  /** E-40: the client's declared capabilities. */
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

/** A client that asks for more by `claims` gets it only where the sign-in behind the grant has met it. */
export function assertClaimsMet(claims: string | undefined, { resource, satisfied }: RequirementSubject): void {
  const { demands } = parseClaimsRequest(claims);
  if (claims === undefined || demands.every((demand) => satisfied.includes(demand))) return;
  throw new EntraError(50076, { claims: demandsOf(claims), values: { resource: resource.clientId } });
}

/** The demands alone: a client's capabilities are its own affair. */
function demandsOf(claims: string): string {
  const { xms_cc: _, ...demands } = accessTokenMembers(claims);
  return JSON.stringify({ access_token: demands });
}

function accessTokenMembers(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    const members = asRecord(asRecord(parsed)["access_token"]);
    return members;
  } catch {
    throw entraError(90013);
  }
}

function valuesOf(member: unknown): string[] {
  const { value, values } = asRecord(member);
  const all = Array.isArray(values) ? values : [value];
  return all.filter((one) => typeof one === "string");
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
