/**
 * Replaces the names of permissions by the ids that Entra wants in a registration, and explains each name that the API
 * does not have. Entra compares the names of Microsoft Graph without case (docs/facts.md, E-51). Pure.
 */
import { didYouMean } from "../../shared/core/did-you-mean.ts";
import { isGraph } from "../../shared/core/graph-resource.ts";
import type { Api, Permission } from "./api.ts";
import type { RequiredApi } from "./required-permissions.ts";

export interface ResolvedApi {
  /** The name of the API in the policy. */
  readonly api: string;
  readonly kind: RequiredApi["kind"];
  readonly appId: string;
  readonly objectId: string | undefined;
  readonly displayName: string;
  readonly permissions: readonly Permission[];
}

export interface NameProblem {
  /** The name of the API in the policy. */
  readonly api: string;
  /** The permission as the policy spells it. Undefined: the API itself is unknown. */
  readonly permission: string | undefined;
  /** The entries that list it. */
  readonly places: readonly string[];
  readonly problem: string;
  /** The permission that was probably meant. */
  readonly meant: Permission | undefined;
}

export interface Resolution {
  readonly resolved: ResolvedApi;
  readonly problems: readonly NameProblem[];
}

export function resolvePermissions(required: RequiredApi, api: Api): Resolution {
  const ignoresCase = isGraph(required.resource);
  const known = api[required.kind];
  const found = required.permissions.map((one) => ({
    ...one,
    permission: known.find((permission) => isSame(permission.name, one.name, ignoresCase)),
  }));
  const { appId, objectId, displayName } = api;
  const permissions = found.flatMap(({ permission }) => permission ?? []);
  return {
    resolved: { api: required.api, kind: required.kind, appId, objectId, displayName, permissions },
    problems: found
      .filter(({ permission }) => permission === undefined)
      .map(({ name, places }) => ({ api: required.api, permission: name, places, ...explain(name, required, api) })),
  };
}

export function isSame(one: string, other: string, ignoresCase: boolean): boolean {
  return ignoresCase ? one.toLowerCase() === other.toLowerCase() : one === other;
}

// ---------------------------------------------------------------------------------------------------------------

type Explanation = Pick<NameProblem, "problem" | "meant">;

const OTHER = { delegated: "application", application: "delegated" } as const;

function explain(name: string, { kind }: RequiredApi, api: Api): Explanation {
  const ofOtherKind = api[OTHER[kind]].find((permission) => permission.name.toLowerCase() === name.toLowerCase());
  const meant = ofOtherKind === undefined ? similar(name, api[kind]) : undefined;
  if (meant !== undefined) return { problem: `${api.displayName} has no ${kind} permission with this name.`, meant };
  if (ofOtherKind !== undefined) {
    return {
      problem: `is only ${ARTICLE[OTHER[kind]]} permission of ${api.displayName}; ${WHERE[kind]}`,
      meant: undefined,
    };
  }
  return { problem: `${api.displayName} has no ${kind} permission with this name.${listSome(name, api[kind])}`, meant };
}

const ARTICLE = { delegated: "a delegated", application: "an application" } as const;
const WHERE = {
  delegated: "a flow with a person cannot use it. Application tokens use the flow client-credentials.",
  application: "the registration for application tokens cannot have it.",
} as const;

/** A typing error, a resource in front, or segments too many: the longest name that is the beginning of this one. */
function similar(name: string, known: readonly Permission[]): Permission | undefined {
  const bare = name.slice(name.lastIndexOf("/") + 1);
  const names = known.map((permission) => permission.name);
  const meant =
    names.find((one) => one.toLowerCase() === bare.toLowerCase()) ??
    didYouMean(bare, names) ??
    longestBeginning(bare, names);
  return known.find((permission) => permission.name === meant);
}

function longestBeginning(name: string, names: readonly string[]): string | undefined {
  const [longest] = names
    .filter((one) => one.includes(".") && name.toLowerCase().startsWith(`${one.toLowerCase()}.`))
    .sort((one, other) => other.length - one.length);
  return longest;
}

/** The permissions with the same first word, or all of an API that has few. */
function listSome(name: string, known: readonly Permission[]): string {
  const [word = ""] = name.toLowerCase().split(/[./]/);
  const sameWord = known.filter((permission) => permission.name.toLowerCase().startsWith(`${word}.`));
  const listed = sameWord.length > 0 || known.length > MOST ? sameWord : known;
  const names = listed.slice(0, MOST).map((permission) => permission.name);
  if (names.length === 0) return "";
  return ` It has ${names.join(", ")}${listed.length > MOST ? " and more" : ""}.`;
}

const MOST = 8;
