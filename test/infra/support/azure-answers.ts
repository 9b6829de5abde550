/**
 * Inserts values that only Azure knows into a compiled template before it is evaluated: the URLs of the cloud, and the
 * permissions of Graph's service principal. Other values that are known only after the deployment stay expressions
 * (`[reference(…`), so that a test can compare the expression in a setting with the resource.
 */
export type AzureEnvironment = "AzureCloud" | "AzureUSGovernment" | "AzureChinaCloud";

const CLOUDS: Readonly<Record<AzureEnvironment, { login: string; keyvaultDns: string; storage: string }>> = {
  AzureCloud: {
    login: "https://login.microsoftonline.com/",
    keyvaultDns: ".vault.azure.net",
    storage: "core.windows.net",
  },
  AzureUSGovernment: {
    login: "https://login.microsoftonline.us/",
    keyvaultDns: ".vault.usgovcloudapi.net",
    storage: "core.usgovcloudapi.net",
  },
  AzureChinaCloud: {
    login: "https://login.chinacloudapi.cn/",
    keyvaultDns: ".vault.azure.cn",
    storage: "core.chinacloudapi.cn",
  },
};

export const GRAPH_PERMISSIONS = {
  oauth2PermissionScopes: [
    { id: "a0000000-0000-4000-8000-000000000001", value: "User.Read" },
    { id: "a0000000-0000-4000-8000-000000000002", value: "Mail.Read" },
    { id: "a0000000-0000-4000-8000-000000000003", value: "Mail.ReadWrite" },
    { id: "a0000000-0000-4000-8000-000000000004", value: "offline_access" },
  ],
  appRoles: [
    { id: "b0000000-0000-4000-8000-000000000001", value: "User.Read.All" },
    { id: "b0000000-0000-4000-8000-000000000002", value: "Mail.ReadWrite" },
  ],
} as const;

/** Returns the compiled template with these values in its expressions. */
export function answer(template: string, environment: AzureEnvironment): string {
  const { login, ...suffixes } = CLOUDS[environment];
  const answers = Object.entries({
    "environment()": { name: environment, authentication: { loginEndpoint: login }, suffixes },
    "reference('graph').oauth2PermissionScopes": GRAPH_PERMISSIONS.oauth2PermissionScopes,
    "reference('graph').appRoles": GRAPH_PERMISSIONS.appRoles,
  });
  const inExpression = (text: string) =>
    answers.reduce(
      (expression, [call, value]) => expression.replaceAll(call, `json('${JSON.stringify(value)}')`),
      text,
    );
  return JSON.stringify(JSON.parse(template), (_, value: unknown) =>
    typeof value === "string" && value.startsWith("[") ? inExpression(value) : value,
  );
}
