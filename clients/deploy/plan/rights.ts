/** Which rights each step needs, and whether an account has them. Pure. */
import type { StepName } from "../command-line.ts";
import type { Plan } from "./plan.ts";

/** As https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group answers. */
export interface Permission {
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
}

interface NeededAction {
  readonly action: string;
  /** The built-in role that has it. */
  readonly role: "Contributor" | "Role Based Access Control Administrator";
  readonly steps: readonly StepName[];
}

const ACTIONS: readonly NeededAction[] = [
  {
    action: "Microsoft.Resources/deployments/write",
    role: "Contributor",
    steps: ["identity", "registrations", "service"],
  },
  {
    action: "Microsoft.ManagedIdentity/userAssignedIdentities/write",
    role: "Contributor",
    steps: ["identity", "service"],
  },
  { action: "Microsoft.Web/sites/write", role: "Contributor", steps: ["service", "package"] },
  { action: "Microsoft.KeyVault/vaults/write", role: "Contributor", steps: ["service"] },
  {
    action: "Microsoft.Authorization/roleAssignments/write",
    role: "Role Based Access Control Administrator",
    steps: ["service", "keys"],
  },
  {
    action: "Microsoft.Authorization/roleAssignments/delete",
    role: "Role Based Access Control Administrator",
    steps: ["keys"],
  },
];

/** One sentence for each role that is missing. */
export function missingAzureRoles(permissions: readonly Permission[], plan: Plan, steps: ReadonlySet<StepName>) {
  const makesGroup = plan.groupExists ? [] : ["Microsoft.Resources/subscriptions/resourceGroups/write"];
  const missing = new Map<string, StepName[]>();
  for (const { action, role, steps: needing } of ACTIONS) {
    const selected = needing.filter((step) => steps.has(step));
    if (selected.length > 0 && !permits(permissions, action)) {
      missing.set(role, [...new Set([...(missing.get(role) ?? []), ...selected])]);
    }
  }
  const scope = plan.groupExists ? `the resource group ${plan.group}` : "the subscription";
  const sentences = [...missing].map(
    ([role, needing]) => `${plan.account.name} needs the role ${role} on ${scope} for: ${needing.join(", ")}.`,
  );
  const noGroup = makesGroup.filter((action) => !permits(permissions, action));
  return noGroup.length === 0
    ? sentences
    : [...sentences, `${plan.account.name} may not make the resource group ${plan.group}. An owner makes it.`];
}

/** `*` stands for any text: https://learn.microsoft.com/azure/role-based-access-control/role-definitions */
export function permits(permissions: readonly Permission[], action: string): boolean {
  const includes = (patterns: readonly string[]) => patterns.some((pattern) => matches(pattern, action));
  return permissions.some(({ actions, notActions }) => includes(actions) && !includes(notActions));
}

/**
 * Template ids of the directory roles, the same in every tenant:
 * https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference
 */
const GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10";
const PRIVILEGED_ROLE_ADMINISTRATOR = "e8611ab8-c189-46e8-94e1-60213ab1f814";
const APPLICATION_ADMINISTRATORS = [
  "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
  "158c047a-c907-4556-b7ef-446551a6b5f7",
  GLOBAL_ADMINISTRATOR,
];

/**
 * Application Administrator may consent to delegated permissions, and to application permissions of every API except
 * Microsoft Graph.
 */
export function missingDirectoryRoles(roles: readonly string[], usesAppOnly: boolean): readonly string[] {
  const has = (allowed: readonly string[]) => allowed.some((role) => roles.includes(role));
  const active = "If the role is eligible in Privileged Identity Management, activate it.";
  return [
    ...(has(APPLICATION_ADMINISTRATORS)
      ? []
      : [`The step registrations needs the directory role Application Administrator. ${active}`]),
    ...(!usesAppOnly || has([PRIVILEGED_ROLE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR])
      ? []
      : [`Consent to application permissions needs the directory role Privileged Role Administrator. ${active}`]),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

function matches(pattern: string, action: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.\\+?^$()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "i").test(action);
}
