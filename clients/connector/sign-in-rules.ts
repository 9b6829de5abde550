/** What is wrong with the sign-in of a connector, from `apiProperties`. Pure. Each rule is a trap that makers met. */

import { isGraph } from "../../shared/core/graph-resource.ts";
import { isGuid } from "../../shared/core/guid.ts";
import type { ConnectorFiles, SignIn } from "./connector-files.ts";
import { error, type Finding, note } from "./finding.ts";
import { placeholderIn } from "./placeholder.ts";

/** Before the connector is saved. Afterwards its name follows. */
const SHARED_REDIRECT = "https://global.consent.azure-apim.net/redirect";

export function signInFindings({ signIn }: ConnectorFiles): Finding[] {
  const left = placeholderIn(signIn.texts);
  return [
    ...(left === undefined
      ? []
      : [error("placeholder_left", `apiProperties.json still has ${left}. Run: npm run connector -- fill`)]),
    ...providerFindings(signIn),
    ...resourceFindings(signIn),
    ...redirectFindings(signIn),
  ];
}

/** Another connector of the environment for the same resource. */
export function otherFindings({ signIn }: ConnectorFiles, other: ConnectorFiles): Finding[] {
  const isSame = signIn.resourceUri !== undefined && sameText(signIn.resourceUri, other.signIn.resourceUri);
  if (!isSame || !signIn.onBehalfOf || !other.signIn.onBehalfOf) return [];
  return [
    error(
      "second_connector",
      `${other.folder} has on-behalf-of login for ${signIn.resourceUri} too. An environment takes one such connector for a resource: the second is saved but never synchronised, without an error. Delete one, then save the other again.`,
    ),
  ];
}

/** The same connector, exported before a change. */
export function changeFindings({ signIn }: ConnectorFiles, before: ConnectorFiles): Finding[] {
  const facts = ({ identityProvider, clientId, resourceUri, tenantId, onBehalfOf, scopes }: SignIn) =>
    JSON.stringify([identityProvider, clientId, resourceUri, tenantId, onBehalfOf, scopes]);
  if (facts(signIn) === facts(before.signIn)) return [];
  return [
    note(
      "connections_broken",
      "The security of the connector changed. Connections made before stay broken: delete each and create it again.",
    ),
  ];
}

export function sameText(one: string | undefined, other: string | undefined): boolean {
  const plain = (text: string | undefined) => text?.replace(/\/$/, "").toLowerCase();
  return plain(one) === plain(other);
}

export function isSharedRedirect(url: string | undefined): boolean {
  return url === undefined || sameText(url, SHARED_REDIRECT);
}

// ---------------------------------------------------------------------------------------------------------------

function providerFindings({ identityProvider, onBehalfOf, hasSecret, scopes, tenantId }: SignIn): Finding[] {
  const findings: Finding[] = [];
  if (identityProvider !== "aad") {
    const found = identityProvider ?? "none";
    findings.push(
      error(
        "identity_provider",
        `The identity provider is ${found}. On-behalf-of login needs aad (Microsoft Entra ID): with another one the platform removes its settings.`,
      ),
    );
  }
  if (!onBehalfOf) {
    const both = "IsOnbehalfofLoginSupported and enableOnbehalfOfLogin";
    findings.push(
      error("on_behalf_of_off", `On-behalf-of login is off: each person signs in once more. Set ${both} to true.`),
    );
  }
  if (hasSecret) {
    findings.push(
      error(
        "secret_in_file",
        "The file has a client secret. Remove it, revoke the secret, and use the managed identity.",
      ),
    );
  }
  if (!Array.isArray(scopes)) {
    findings.push(error("scopes_not_a_list", "scopes must be a list: with aad, the platform ignores one text."));
  }
  if (tenantId === undefined || (!isGuid(tenantId) && placeholderIn([tenantId]) === undefined)) {
    findings.push(
      error("tenant", "customParameters.tenantId must be the id of your tenant. The service accepts no other."),
    );
  }
  return findings;
}

function resourceFindings({ clientId, resourceId, resourceUri }: SignIn): Finding[] {
  if (resourceUri === undefined)
    return [error("resource_missing", "customParameters.resourceUri is missing: the App ID URI of the service.")];
  const findings: Finding[] = [];
  if (!sameText(resourceId, resourceUri)) {
    findings.push(
      error(
        "resource_differs",
        "AzureActiveDirectoryResourceId and customParameters.resourceUri must both be the App ID URI of the service.",
      ),
    );
  }
  if (isGraph(resourceUri.replace(/\/$/, ""))) {
    findings.push(
      error(
        "resource_is_graph",
        "The resource is Microsoft Graph. The service refuses tokens for it: set the App ID URI of the service.",
      ),
    );
  }
  if (clientId !== undefined && isGuid(clientId) && resourceUri.toLowerCase().includes(clientId.toLowerCase())) {
    findings.push(
      error(
        "resource_is_connector",
        "The resource is the connector's own registration: Entra answers AADSTS90009. Set the App ID URI of the service.",
      ),
    );
  }
  return findings;
}

function redirectFindings({ redirectMode, redirectUrl }: SignIn): Finding[] {
  const findings: Finding[] = [];
  if (redirectMode !== "GlobalPerConnector") {
    findings.push(
      error(
        "redirect_mode",
        "redirectMode must be GlobalPerConnector, so that no other connector receives the sign-in.",
      ),
    );
  }
  if (isSharedRedirect(redirectUrl)) {
    findings.push(
      note(
        "redirect_not_known",
        "The redirect URI of the connector exists after its first save. Save it, export it, and check again.",
      ),
    );
  }
  return findings;
}
