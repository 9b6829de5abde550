/** The files to import, for one deployment. Pure. */
import type { JsonObject } from "../../shared/core/json-object.ts";

export interface Deployment {
  /** `https://` and a host. */
  readonly serviceUrl: string;
  readonly tenantId: string;
  /** App ID URI of the service. */
  readonly appIdUri: string;
  /** Client id of the connector's registration: the output `powerPlatformConnectors` of infra/entra/entra.bicep. */
  readonly clientId: string;
}

export function fillDefinition(definition: JsonObject, { serviceUrl, tenantId }: Deployment): string {
  const text = JSON.stringify({ ...definition, host: new URL(serviceUrl).host }, undefined, 2);
  return `${text.replaceAll("login.microsoftonline.com/common/", `login.microsoftonline.com/${tenantId}/`)}\n`;
}

export function fillProperties(properties: JsonObject, { tenantId, appIdUri, clientId }: Deployment): string {
  const text = JSON.stringify(properties, undefined, 2);
  return `${text
    .replaceAll("<App ID URI of the service>", appIdUri)
    .replaceAll("<tenant id>", tenantId)
    .replaceAll("<client id of the connector>", clientId)}\n`;
}
