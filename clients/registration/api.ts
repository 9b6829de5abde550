/**
 * An API as its service principal in Entra describes it: its names, its delegated permissions and its application
 * permissions. The same JSON comes from Microsoft Graph, from `az ad sp show` and from `az ad sp list`.
 *
 * Source: https://learn.microsoft.com/graph/api/resources/serviceprincipal
 */
import * as z from "zod/mini";
import { GUID } from "../../shared/core/guid.ts";
import { oneLine } from "../cli/cli-failure.ts";

export interface Permission {
  readonly name: string;
  readonly id: string;
  /** A few words of its owner, for example "Read user mail". */
  readonly description: string;
  /** True: people cannot consent, only an administrator can. Always true for application permissions. */
  readonly adminConsent: boolean;
}

export interface Api {
  readonly appId: string;
  /** Object id of the service principal in this tenant. Undefined: the API was not looked up in a tenant. */
  readonly objectId: string | undefined;
  readonly displayName: string;
  /** App ID URIs and the application id. */
  readonly names: readonly string[];
  readonly delegated: readonly Permission[];
  readonly application: readonly Permission[];
}

/** Ids are part of the commands that the report prints. */
const guid = z.string().check(z.regex(GUID));

const text = z.nullish(z.string());

const servicePrincipalSchema = z.object({
  id: guid,
  appId: guid,
  displayName: text,
  servicePrincipalNames: z._default(z.array(z.string()), []),
  oauth2PermissionScopes: z._default(
    z.array(
      z.object({
        id: guid,
        value: text,
        type: text,
        isEnabled: z._default(z.boolean(), true),
        adminConsentDisplayName: text,
      }),
    ),
    [],
  ),
  appRoles: z._default(
    z.array(
      z.object({
        id: guid,
        value: text,
        displayName: text,
        isEnabled: z._default(z.boolean(), true),
        allowedMemberTypes: z._default(z.array(z.string()), []),
      }),
    ),
    [],
  ),
});

/** Undefined if the JSON is no service principal. Omits permissions that their owner disabled. */
export function readApi(value: unknown): Api | undefined {
  const parsed = servicePrincipalSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, appId, displayName, servicePrincipalNames, oauth2PermissionScopes, appRoles } = parsed.data;
  return {
    appId: appId.toLowerCase(),
    objectId: id,
    displayName: shown(displayName) || appId,
    names: [...servicePrincipalNames, appId],
    delegated: oauth2PermissionScopes
      .filter(({ isEnabled }) => isEnabled)
      .map((scope) => toPermission(scope, scope.adminConsentDisplayName, scope.type !== "User")),
    application: appRoles
      .filter(({ isEnabled, allowedMemberTypes }) => isEnabled && allowedMemberTypes.includes("Application"))
      .map((role) => toPermission(role, role.displayName, true)),
  };
}

/** Like Entra, ignores one trailing slash, and the case of a GUID. */
export function hasName(api: Api, name: string): boolean {
  const wanted = withoutSlash(name);
  return api.names.some((known) => withoutSlash(known) === wanted) || api.appId === wanted.toLowerCase();
}

// ---------------------------------------------------------------------------------------------------------------

type Text = z.infer<typeof text>;

function toPermission(
  { id, value }: { id: string; value?: Text },
  description: Text,
  adminConsent: boolean,
): Permission {
  return { name: shown(value), id, description: shown(description), adminConsent };
}

/** The owner of an API writes these texts, and they are shown in a terminal. */
function shown(given: Text): string {
  return oneLine(given ?? "");
}

function withoutSlash(name: string): string {
  return name.endsWith("/") ? name.slice(0, -1) : name;
}
