/**
 * `header <api>` prints the headers for a request to the API as a JSON object, `token <api>` prints only the token. With
 * `--json` both also print when they expire.
 */
import { readClaimsOption } from "../claims.ts";
import { type CliFailure, usageFailure } from "../cli-failure.ts";
import { EXIT } from "../exit-codes.ts";
import { type HeaderPayload, requestHeader } from "../header-payload.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";

export const header: Command = async (input) => {
  const { headers, expiresOn, scopes } = await requestPayload(input);
  print(input.terminal, input.options.json === true ? { headers, expiresOn, scopes } : headers);
  return EXIT.ok;
};

export const token: Command = async (input) => {
  const { accessToken, expiresOn, scopes } = await requestPayload(input);
  if (input.options.json === true) print(input.terminal, { accessToken, tokenType: "Bearer", expiresOn, scopes });
  else input.terminal.out(`${accessToken}\n`);
  return EXIT.ok;
};

async function requestPayload(input: CommandInput): Promise<HeaderPayload> {
  const [api, ...more] = input.operands;
  if (api === undefined || more.length > 0)
    throw usageFailure(`${input.command} takes one API, for example: ${input.command} graph`);
  const { scope, claims, "force-refresh": forceRefresh } = input.options;
  if (scope?.some((one) => one.split(" ").includes("offline_access"))) throw offlineAccessFailure();
  const claimsJson = readClaimsOption(claims);
  const { service } = connect(input);
  return requestHeader(service, api, {
    ...(scope === undefined ? {} : { scopes: scope }),
    ...(claimsJson === undefined ? {} : { claims: claimsJson }),
    ...(forceRefresh === undefined ? {} : { forceRefresh }),
  });
}

/** With offline_access the service would create a grant. Neither command prints the grant handle, so it would be lost. */
function offlineAccessFailure(): CliFailure {
  return usageFailure(
    "--scope offline_access is not supported: it would create a grant, and this command does not print grant handles. " +
      "You do not need a grant here, because gte renews your sign-in on this machine.",
  );
}
