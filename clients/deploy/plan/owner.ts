/**
 * Whether the registration of this name belongs to this deployment. Two deployments with the same key would overwrite each
 * other's registration, and the service would get no token. Pure.
 */
export interface ExistingRegistration {
  readonly redirectUris: readonly string[];
  /** Subjects of its federated credentials. */
  readonly subjects: readonly string[];
}

export interface Deployment {
  readonly uniqueName: string;
  readonly serviceUrl: string;
  readonly identityName: string;
  /** Undefined: the identity does not exist. */
  readonly principalId: string | undefined;
}

/** Undefined: it is new, or it belongs to this deployment. */
export function ownerProblem(
  existing: ExistingRegistration | undefined,
  { uniqueName, serviceUrl, identityName, principalId }: Deployment,
): string | undefined {
  if (existing === undefined) return undefined;
  const [callback] = existing.redirectUris;
  if (callback !== undefined && callback !== `${serviceUrl}/oauth2/callback`) {
    return (
      `The registration ${uniqueName} belongs to the service with the callback ${callback}, and this deployment is ` +
      `${serviceUrl}. Name another key with --unique-name, and set appIdUri in the parameter file to its App ID URI.`
    );
  }
  const foreign = existing.subjects.find((subject) => subject !== principalId);
  if (foreign === undefined) return undefined;
  const own = principalId === undefined ? `${identityName} does not exist yet` : `${identityName} is ${principalId}`;
  return (
    `The registration ${uniqueName} trusts the identity ${foreign}, and ${own}. If that identity was deleted, delete ` +
    `the federated credential: az ad app federated-credential delete --id <client id> --federated-credential-id managed-identity`
  );
}
