/**
 * Microsoft Graph by its resource URI. Entra compares the scopes of Graph without case and accepts several spellings of
 * its resource. The service knows this of Graph only, so it compares everything about other APIs exactly.
 *
 * Source: https://learn.microsoft.com/graph/deployments
 */

/** The public cloud; the US Government and its Department of Defense; China. */
export const GRAPH_RESOURCES = {
  public: ["https://graph.microsoft.com"],
  usgov: ["https://graph.microsoft.us", "https://dod-graph.microsoft.us"],
  china: ["https://microsoftgraph.chinacloudapi.cn"],
} as const;

/** Graph's application id, which is the same in every cloud. */
export const GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000";

const ALL: readonly string[] = Object.values(GRAPH_RESOURCES).flat();

/** True if a policy's resource is Graph. Policies have no other spelling of it (`policy/graph-spelling.ts`). */
export function isGraph(resource: string): boolean {
  return ALL.includes(resource);
}

/** The resource URI of Graph that a host belongs to. */
export function graphWithHost(host: string): string | undefined {
  return ALL.find((resource) => new URL(resource).hostname === host.toLowerCase());
}
