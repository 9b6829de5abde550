/**
 * Settings as people copy them from the Azure portal, a template or a script, in the form that the service uses. Only
 * differences without a meaning are removed; the form of the setting decides about the rest. Pure.
 */

const QUOTED = /^(?:"([^"]*)"|'([^']*)'|\u201c([^\u201d]*)\u201d)$/;

/** Without white space and quotation marks around it. */
export function unquoted(text: string): string {
  const trimmed = text.trim();
  const [, ...inside] = QUOTED.exec(trimmed) ?? [];
  return inside.find((part) => part !== undefined)?.trim() ?? trimmed;
}

/** A GUID without braces, in lower case. PowerShell's `B` format and the registry have braces. */
export function guidAsCopied(text: string): string {
  return text.replace(/^\{(.*)\}$/, "$1").toLowerCase();
}

/** A URL without trailing slash. The portal shows `Vault URI` and the endpoints of a storage account with one. */
export function urlAsCopied(text: string): string {
  return text.replace(/(?<=[^/])\/$/, "");
}

/** The portal shows the default domain of a function app without a scheme. */
export function serviceUrlAsCopied(text: string): string {
  return urlAsCopied(/^[a-z0-9-]+(\.[a-z0-9-]+)+\/?$/i.test(text) ? `https://${text}` : text);
}

/** The portal shows the endpoint of Azure Managed Redis as host and port. */
export function redisUrlAsCopied(text: string): string {
  return urlAsCopied(/^[a-z0-9.-]+:\d+\/?$/i.test(text) ? `rediss://${text}` : text);
}

/** One of some words in lower case. PowerShell and Bicep write `True`. */
export function wordAsCopied(text: string): string {
  return text.toLowerCase();
}

/** A list without white space around its commas. */
export function listAsCopied(text: string): string {
  return text.replaceAll(/\s*,\s*/g, ",");
}
