/** The clouds: Azure environment, audience of a federated credential, login endpoint of Entra. */
export const ENTRA_CLOUDS = [
  ["AzureCloud", "api://AzureADTokenExchange", "https://login.microsoftonline.com/"],
  ["AzureUSGovernment", "api://AzureADTokenExchangeUSGov", "https://login.microsoftonline.us/"],
  ["AzureChinaCloud", "api://AzureADTokenExchangeChina", "https://login.partner.microsoftonline.cn/"],
] as const;
