/** Which marks concern a token or a grant. Pure; no allocation for a token without marks. */
import type { Revocable } from "../grants/grant-types.ts";
import { type MarkIndex, NEVER } from "./mark-index.ts";
import { consentKey } from "./refused-by-entra.ts";

/** What is known of a token when it is looked up. An exchange has these members. */
export interface RevocableToken {
  readonly caller: { readonly clientId: string };
  readonly subject: RevocableSubject;
  readonly entitlement: { readonly entry: string; readonly api: { readonly name: string } };
  /** Client id of the registration that Entra issued the token for. */
  readonly registration: string;
}

type RevocableSubject =
  | { readonly source: "user"; readonly user: { readonly objectId: string; readonly clientId: string } }
  | { readonly source: "grant"; readonly grant: { readonly grant: Revocable } }
  | { readonly source: "imported" | "code" | "application" };

/** The latest mark that concerns the token, seconds since 1970, or `NEVER`. */
export function tokenMark(index: MarkIndex, token: RevocableToken): number {
  if (index.isEmpty()) return NEVER;
  const { caller, subject, entitlement } = token;
  const person = personOf(subject);
  return Math.max(
    index.at("everything", ""),
    index.at("caller", caller.clientId.toLowerCase()),
    index.at("entry", entitlement.entry),
    index.at("api", entitlement.api.name),
    index.at("registration", token.registration),
    subject.source === "user" ? index.at("caller", subject.user.clientId.toLowerCase()) : NEVER,
    subject.source === "grant" ? grantMark(index, subject.grant.grant) : NEVER,
    person === undefined ? NEVER : index.at("person", person.toLowerCase()),
    person === undefined || !index.has("consent") ? NEVER : index.at("consent", consentOf(person, token)),
  );
}

/** The latest mark that concerns the grant. A grant is one refresh token, so a mark of one of its APIs concerns it whole. */
function grantMark(index: MarkIndex, { id, user, binding, policyEntry, apis }: Revocable): number {
  return Math.max(
    index.at("everything", ""),
    user === undefined ? NEVER : index.at("person", user.objectId.toLowerCase()),
    index.at("caller", binding.clientId.toLowerCase()),
    index.at("entry", policyEntry),
    index.at("grant", id),
    ...apis.map(({ api }) => index.at("api", api)),
  );
}

/** Whether it was allowed before a mark that concerns it. */
export function isGrantRevoked(index: MarkIndex, grant: Revocable): boolean {
  return !index.isEmpty() && grant.allowedAtSeconds <= grantMark(index, grant);
}

// ---------------------------------------------------------------------------------------------------------------

function personOf(subject: RevocableSubject): string | undefined {
  switch (subject.source) {
    case "user":
      return subject.user.objectId;
    case "grant":
      return subject.grant.grant.user?.objectId;
    default:
      return undefined;
  }
}

function consentOf(person: string, { registration, entitlement }: RevocableToken): string {
  return consentKey({ person: person.toLowerCase(), registration, api: entitlement.api.name });
}
