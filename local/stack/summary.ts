/**
 * The output of `npm start` when everything runs: the addresses, the first exchange with shortened tokens, and commands to
 * paste.
 */
import { environmentPath } from "../caller/environment.ts";
import type { FirstExchange, RelayedRequest } from "../caller/first-exchange.ts";
import { decodeClaims, describeToken, shortenToken } from "../caller/show-token.ts";
import type { Stack } from "./stack.ts";

export function describeRunning(stack: Stack): string {
  const { environment, service, tables, tenant } = stack;
  return [
    "Running:",
    `  playground    ${service.url}/  (open it in a browser)`,
    `  service       ${service.url}  (Functions host, process ${service.pid}; the app loaded in ${Math.round(service.loadMs)} ms)`,
    `  local tenant  ${tenant.url}  (Entra, Key Vault and Graph stand-ins; trust ${environment.caCertPath})`,
    `  grant store   ${tables.url}  (Azurite's table service, in memory, process ${tables.pid})`,
  ].join("\n");
}

export function describeExchange({ callerToken, graphToken, headers, expiresOn, me }: FirstExchange): string {
  const shown = { displayName: me["displayName"], userPrincipalName: me["userPrincipalName"], id: me["id"] };
  return [
    "First exchange:",
    `  alice's token for the service   ${shortenToken(callerToken)}`,
    `    ${describeToken(callerToken)}`,
    "  GET /AuthorizationHeader/graph  200",
    `    Authorization: Bearer ${shortenToken(graphToken)}, Content-Type: ${headers["Content-Type"]}, until ${expiresOn}`,
    `    ${describeToken(graphToken)}`,
    "  GET /v1.0/me on Graph           200",
    `    ${JSON.stringify(shown)}`,
  ].join("\n");
}

/** Entra puts every consented scope into a token, so callers with fewer rights have a registration with fewer rights. */
export function describeTiers(exchanges: readonly FirstExchange[], relayed: RelayedRequest): string {
  const lines = exchanges.map(({ caller, callerToken, graphToken }) => {
    const registration = decodeClaims(callerToken)["aud"];
    return `  ${caller.padEnd(9)} 200  scopes ${scopesOf(graphToken)}  (registration ${String(registration)})`;
  });
  const { caller, refusal, path, status } = relayed;
  const relay = `  ${caller.padEnd(9)} ${refusal.status}  ${refusal.code}; through the relay: GET ${path}  ${status}`;
  return ["The same request by three callers:", ...lines, relay].join("\n");
}

/** With a policy of the person, which requests it allows is not known here. */
export function describeOwnPolicy(path: string): string {
  return [
    `Policy: ${path}`,
    `Ids and secrets of the local tenant: ${environmentPath}`,
    "Ctrl+C stops everything.",
  ].join("\n");
}

export function describeCommands({ environment }: Stack): string {
  const { serviceUrl } = environment;
  return [
    "Paste in another terminal:",
    `  curl -s -H "Authorization: Bearer $(npm run -s token -- alice)" ${serviceUrl}/AuthorizationHeader/graph`,
    `  curl -s ${serviceUrl}/oauth2/token \\`,
    "    -d grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer -d requested_token_use=on_behalf_of \\",
    '    -d scope=https://graph.microsoft.com/User.Read -d assertion="$(npm run -s token -- alice)"',
    '  curl -s -H "Authorization: Bearer $(npm run -s token -- --app reports)" \\',
    `    ${serviceUrl}/AuthorizationHeaderUnauthenticated/graph`,
    `  curl -s -H "Authorization: Bearer $(npm run -s token -- alice --caller intranet)" ${serviceUrl}/AuthorizationHeader/graph`,
    `  curl -s -H "Authorization: Bearer $(npm run -s token -- alice --caller assistant)" ${serviceUrl}/DownstreamApi/graph/v1.0/me/messages`,
    "  npx --no -- gte login --local       # enter the code in the browser; then, for example:",
    "  npx --no -- gte header graph --local",
    "  npm run demo",
    "",
    "Users: alice, bob; carol (no consent for her), dave (a guest), erin (Grant.Admin, Grant.Create, Policy.Explain).",
    `Passwords and client secrets of the local tenant: ${environmentPath}`,
    "Ctrl+C stops everything.",
  ].join("\n");
}

// ---------------------------------------------------------------------------------------------------------------

/** The scopes of a Graph token, without those of OpenID Connect. */
function scopesOf(token: string): string {
  const scopes = String(decodeClaims(token)["scp"]).split(" ");
  return scopes.filter((scope) => /[A-Z]/.test(scope)).join(" ");
}
