/**
 * Claims challenges (facts 3): what a conditional access policy demands, and what a grant has already satisfied.
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

export function assertRequirementsMet(
  requirements: readonly Requirement[],
  request: { user: User; client: Registration; resource: Registration; satisfied: readonly string[] },
): void {
  const { user, client, resource, satisfied } = request;
  const unmet = requirements.find(
    (one) =>
      (one.userOid ?? user.oid) === user.oid &&
      (one.clientId ?? client.clientId) === client.clientId &&
      one.resourceId === resource.clientId &&
      !parseClaimsRequest(one.claims).demands.every((demand) => satisfied.includes(demand)),
  );
  if (unmet === undefined) return;
  throw new EntraError(unmet.code, { claims: unmet.claims, values: { resource: resource.clientId } });
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
