/** What is wrong with the app registration of a connector, from the output of `az ad app show`. Pure. */
import { GRAPH_APP_ID } from "../../shared/core/graph-resource.ts";
import { isJsonObject, type JsonObject } from "../../shared/core/json-object.ts";
import { type ConnectorFiles, objectAt, textAt } from "./connector-files.ts";
import { error, type Finding, note } from "./finding.ts";
import { isSharedRedirect, sameText } from "./sign-in-rules.ts";

/** Microsoft's application that signs people in to connectors, in every tenant. */
const AZURE_API_CONNECTIONS = "fe053c5f-3692-4f14-aef2-ee34fc081cae";
const USER_READ = "e1fe6dd8-ba31-4d61-89e7-88639da4683d";
/** Until every part of Entra knows a new registration or consent. */
const SETTLED_MS = 15 * 60_000;

export interface RegistrationToCheck {
  /** Output of `az ad app show`. */
  readonly application: JsonObject;
  /** Output of `az ad app federated-credential list`. Undefined: not given. */
  readonly credentials: readonly unknown[] | undefined;
  readonly nowMs: number;
}

export function registrationFindings({ signIn }: ConnectorFiles, registration: RegistrationToCheck): Finding[] {
  const { application, credentials, nowMs } = registration;
  const { clientId, redirectUrl } = signIn;
  if (!sameText(textAt(application, "appId"), clientId)) {
    return [error("other_registration", `The registration is not that of clientId ${clientId ?? "(none)"}.`)];
  }
  return [
    ...redirect(application, redirectUrl),
    ...preAuthorization(application),
    ...graphPermission(application, nowMs),
    ...servicePermission(application),
    ...(credentials === undefined ? [] : federation(credentials)),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

function redirect(application: JsonObject, url: string | undefined): Finding[] {
  if (isSharedRedirect(url)) return [];
  const { redirectUris } = objectAt(application, "web");
  const isThere = Array.isArray(redirectUris) && redirectUris.includes(url);
  return isThere
    ? []
    : [error("redirect_missing", `Entra answers AADSTS50011: the registration lacks the redirect URI ${url}.`)];
}

function preAuthorization(application: JsonObject): Finding[] {
  const { preAuthorizedApplications } = objectAt(application, "api");
  const clients = list(preAuthorizedApplications).map((one) => textAt(one, "appId"));
  if (clients.includes(AZURE_API_CONNECTIONS)) return [];
  return [
    error(
      "not_preauthorized",
      `The registration's scope does not authorise ${AZURE_API_CONNECTIONS} (Azure API Connections): each person is prompted.`,
    ),
  ];
}

/** AADSTS90008: an application that requests a token for itself needs the permission to read the user's profile. */
function graphPermission(application: JsonObject, nowMs: number): Finding[] {
  const graph = list(application["requiredResourceAccess"]).find(
    (one) => textAt(one, "resourceAppId") === GRAPH_APP_ID,
  );
  const ids = list(graph?.["resourceAccess"]).map((one) => textAt(one, "id"));
  if (!ids.includes(USER_READ)) {
    return [
      error(
        "user_read_missing",
        "Entra answers AADSTS90008: the registration lacks the permission User.Read of Microsoft Graph.",
      ),
    ];
  }
  const created = Date.parse(textAt(application, "createdDateTime") ?? "");
  if (nowMs - created >= SETTLED_MS || Number.isNaN(created)) return [];
  return [
    note(
      "new_registration",
      "The registration is new: Entra can answer AADSTS90008 for some minutes. Wait, then try again.",
    ),
  ];
}

function servicePermission(application: JsonObject): Finding[] {
  const others = list(application["requiredResourceAccess"]).filter(
    (one) => textAt(one, "resourceAppId") !== GRAPH_APP_ID,
  );
  return others.some((one) => list(one["resourceAccess"]).length > 0)
    ? []
    : [error("service_permission_missing", "The registration lacks the permission access_as_user of the service.")];
}

function federation(credentials: readonly unknown[]): Finding[] {
  const audiences = credentials.flatMap((one) =>
    isJsonObject(one) && Array.isArray(one["audiences"]) ? one["audiences"] : [],
  );
  return audiences.some((audience) => String(audience).startsWith("api://AzureADTokenExchange"))
    ? []
    : [
        error(
          "federation_missing",
          "The registration has no federated credential for the issuer and subject that the connector shows.",
        ),
      ];
}

function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
