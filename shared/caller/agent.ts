/**
 * Recognises tokens of agent identities (Microsoft Entra Agent ID): the client of such a token is an agent, and an agent
 * identity blueprint is its parent. Entra writes the parent and the facets of client and subject into the token (E-113,
 * E-114). A claims mapping can add a claim of any name to a person's token (E-41), so a parent alone proves nothing: the
 * facets must agree with the kind of the token, and a key of the tenant must have signed it. A token without this proof
 * is an ordinary one. Pure: no I/O.
 *
 * Source: https://learn.microsoft.com/entra/agent-id/agent-token-claims
 */
import { type JsonObject, member } from "../core/json-object.ts";
import { isGuidClaim } from "./caller-rules.ts";

export interface Agent {
  /** `xms_par_app_azp`: client id of the blueprint. */
  readonly blueprint: string;
}

/** Facet values of `xms_act_fct` (the client) and `xms_sub_fct` (the subject). Other values say nothing about agents. */
const AGENT_IDENTITY = "11";
const AGENT_USER = "13";

/** Undefined: the token does not prove that its client is an agent. */
export function readAgent(payload: JsonObject, kind: "user" | "application", clientId: string): Agent | undefined {
  const blueprint = member(payload, "xms_par_app_azp");
  if (!isGuidClaim(blueprint) || blueprint === clientId) return undefined;
  const proven =
    hasFacet(payload, "xms_act_fct", AGENT_IDENTITY) &&
    (kind === "application" ? isAutonomous(payload) : !hasFacet(payload, "xms_sub_fct", AGENT_IDENTITY));
  return proven ? { blueprint } : undefined;
}

/** The agent acts for itself. `idtyp` must say so too; the registration of this service requests it. */
export function isAutonomous(payload: JsonObject): boolean {
  const facets = ["xms_act_fct", "xms_sub_fct"].every((name) => hasFacet(payload, name, AGENT_IDENTITY));
  return facets && member(payload, "idtyp") === "app";
}

/** The subject is the user account of an agent, which is not a person. */
export function isAgentUser(payload: JsonObject): boolean {
  return hasFacet(payload, "xms_sub_fct", AGENT_USER);
}

// ---------------------------------------------------------------------------------------------------------------

/** Numbers separated by spaces, in any order. */
function hasFacet(payload: JsonObject, name: string, facet: string): boolean {
  const facets = member(payload, name);
  return typeof facets === "string" && facets.split(" ").includes(facet);
}
