/**
 * Inserts the URLs of the cloud, which only Azure knows, into a compiled template before it is evaluated. Other values that are known only after the deployment stay expressions
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

/** Returns the compiled template with these values in its expressions. */
export function answer(template: string, environment: AzureEnvironment): string {
  const { login, ...suffixes } = CLOUDS[environment];
  const answers = Object.entries({
    "environment()": { name: environment, authentication: { loginEndpoint: login }, suffixes },
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
