/** Why a command of the Azure CLI failed, read from its error output. Pure. */

export type AzFailureKind =
  /** No `az` on the path. */
  | "not_installed"
  | "not_signed_in"
  /** The account lacks a right. */
  | "forbidden"
  /** A role assignment of the last minutes does not work yet, or there is none. */
  | "role_is_new"
  /** Entra does not find yet what it has just created. */
  | "replication"
  | "throttled"
  | "unreachable"
  /** Another operation on the same resource is still running. */
  | "busy"
  /** The package is uploaded, and only the check of the CLI afterwards failed. */
  | "host_key"
  | "deleted_vault"
  | "quota"
  | "other";

export class AzFailure extends Error {
  readonly kind: AzFailureKind;
  /** The command as a line of a shell. */
  readonly line: string;

  constructor(kind: AzFailureKind, line: string, text: string) {
    super(text);
    this.kind = kind;
    this.line = line;
  }
}

/** The first pattern that matches decides: specific ones come first. */
const PATTERNS: readonly (readonly [AzFailureKind, RegExp])[] = [
  ["not_signed_in", /az login|No subscription found|AADSTS(?:50076|50079|50173|70043|700082)/i],
  // https://github.com/Azure/azure-functions-host/issues/10620
  ["host_key", /fetch host key/i],
  ["deleted_vault", /already exists in deleted state|VaultAlreadySoftDeleted/i],
  ["quota", /QuotaExceeded|SubscriptionIsOverQuota|exceeds? .*quota/i],
  ["throttled", /TooManyRequests|\b429\b|throttl/i],
  // https://learn.microsoft.com/azure/azure-functions/functions-how-to-use-azure-function-app-settings, Flex Consumption
  ["role_is_new", /BlobUploadFailedException|ForbiddenByRbac|AuthorizationPermissionMismatch/i],
  // https://github.com/microsoftgraph/msgraph-bicep-types issues 193, 271, 301
  [
    "replication",
    /NoBackingApplicationObject|Error in query syntax|Not a valid reference update|Request_ResourceNotFound|PrincipalNotFound|NotFound|does not exist/i,
  ],
  ["busy", /DeploymentActive|AnotherOperationInProgress|OperationInProgress/i],
  [
    "forbidden",
    /AuthorizationFailed|Authorization_RequestDenied|Insufficient privileges|Forbidden|does not have authorization/i,
  ],
  [
    "unreachable",
    /Connection(?:Error| aborted| reset)|Max retries exceeded|timed? ?out|name resolution|\b50[0234]\b|ServiceUnavailable/i,
  ],
];

export function classifyAzError(text: string): AzFailureKind {
  return PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? "other";
}

/** The message of the CLI without warnings, on one line. A token in it would be replaced. */
export function messageOf(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("WARNING"));
  const message = lines
    .join(" ")
    .replaceAll(/eyJ[\w-]+\.[\w.-]+/g, "<token>")
    .replaceAll(/\s+/g, " ")
    .trim();
  return message.length > 600 ? `${message.slice(0, 600)}…` : message;
}
