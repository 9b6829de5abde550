/** The sample flows, and the requests of their actions against the local stack. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { localRequest } from "../../../local/caller/local-request.ts";
import { root } from "../../docs/support/markdown.ts";
import { SERVICE_URL, type ServiceUnderTest } from "../../support/service-under-test.ts";
import type { FlowAnswer, FlowCall, FlowDefinition } from "./run-flow.ts";

export const FLOWS = ["grant", "mail-the-link", "connector"] as const;
export type SampleFlow = (typeof FLOWS)[number];

const FOLDER = join(root, "connectors/power-platform");

interface FlowFile {
  readonly properties: {
    readonly connectionReferences: Readonly<Record<string, unknown>>;
    readonly definition: FlowDefinition;
  };
}

export function readFlow(name: SampleFlow): FlowFile["properties"] {
  return (JSON.parse(readFileSync(join(FOLDER, "flows", `${name}.json`), "utf8")) as FlowFile).properties;
}

/** An HTTP action: to the service, or to Graph, of which the local tenant has a part. */
export async function sendHttp(service: ServiceUnderTest, { inputs }: FlowCall): Promise<FlowAnswer> {
  const { method, uri, headers = {}, body, authentication } = inputs as unknown as HttpInputs;
  const authorization =
    authentication === undefined ? {} : { authorization: `Bearer ${await entraToken(service, authentication)}` };
  const sent = { ...headers, ...authorization };
  if (uri.startsWith(`${SERVICE_URL}/`)) {
    const answer = await service.call(uri.slice(SERVICE_URL.length), {
      method,
      headers: lowerCase(sent),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { failed: answer.status >= 400, body: answer.json() };
  }
  const local = uri.replace("https://graph.microsoft.com", service.tenant.url);
  const answer = await localRequest(local, { method, headers: sent });
  return { failed: answer.status >= 400, body: answer.json() };
}

/** An action of our connector: the request that `apiDefinition.swagger.json` describes for it, with the person's token. */
export async function sendConnector(
  service: ServiceUnderTest,
  { inputs }: FlowCall,
  token: string,
): Promise<FlowAnswer> {
  const { host, parameters } = inputs as unknown as ConnectorInputs;
  const definition = JSON.parse(readFileSync(join(FOLDER, "apiDefinition.swagger.json"), "utf8")) as Swagger;
  for (const [path, methods] of Object.entries(definition.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.operationId !== host.operationId) continue;
      const isIn = (place: string) =>
        operation.parameters.filter((one) => one.in === place && parameters[one.name] !== undefined);
      const unknown = Object.keys(parameters).filter((name) => !operation.parameters.some((one) => one.name === name));
      if (unknown.length > 0) throw new Error(`The connector has no parameter ${unknown.join(", ")}.`);
      const filled = isIn("path").reduce(
        (text, { name }) => text.replace(`{${name}}`, encodeURIComponent(parameters[name] ?? "")),
        path,
      );
      const query = new URLSearchParams(
        isIn("query").map(({ name }): [string, string] => [name, parameters[name] ?? ""]),
      );
      const answer = await service.call(`${filled}?${query}`, {
        method: method.toUpperCase(),
        headers: { authorization: `Bearer ${token}` },
      });
      return {
        failed: answer.status >= 400,
        body: JSON.parse(answer.bytes === undefined ? answer.text : Buffer.from(answer.bytes).toString()),
      };
    }
  }
  throw new Error(`The connector has no operation ${host.operationId}.`);
}

// ---------------------------------------------------------------------------------------------------------------

interface HttpInputs {
  readonly method: string;
  readonly uri: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly authentication?: ActiveDirectoryOAuth;
}

interface ActiveDirectoryOAuth {
  readonly type: "ActiveDirectoryOAuth";
  readonly authority: string;
  readonly tenant: string;
  readonly audience: string;
  readonly clientId: string;
  readonly secret: string;
}

interface ConnectorInputs {
  readonly host: { readonly operationId: string };
  readonly parameters: Readonly<Record<string, string>>;
}

interface Swagger {
  readonly paths: Readonly<
    Record<
      string,
      Record<
        string,
        { readonly operationId: string; readonly parameters: readonly { readonly name: string; readonly in: string }[] }
      >
    >
  >;
}

/** What the HTTP action does for its authentication: client credentials at Entra. */
async function entraToken({ tenant }: ServiceUnderTest, authentication: ActiveDirectoryOAuth): Promise<string> {
  const { authority, tenant: tenantId, audience, clientId, secret } = authentication;
  if (authority !== "https://login.microsoftonline.com") throw new Error(`The authority is ${authority}.`);
  const answer = await localRequest(`${tenant.url}/${tenantId}/oauth2/v2.0/token`, {
    form: {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: secret,
      scope: `${audience}/.default`,
    },
  });
  return String(answer.json()["access_token"]);
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
