/** `header <api>` prints the header object for the next request, `token <api>` the token alone. */
import { readClaimsOption } from "../claims.ts";
import { type CliFailure, usage } from "../cli-failure.ts";
import { EXIT } from "../exit-codes.ts";
import { askForHeader, type HeaderPayload } from "../header-payload.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";

export const header: Command = async (input) => {
  const { headers } = await payloadFor(input);
  print(input.terminal, headers);
  return EXIT.ok;
};

export const token: Command = async (input) => {
  const { accessToken, expiresOn, scopes } = await payloadFor(input);
  if (input.options.json === true) print(input.terminal, { accessToken, tokenType: "Bearer", expiresOn, scopes });
  else input.terminal.out(`${accessToken}\n`);
  return EXIT.ok;
};

async function payloadFor(input: CommandInput): Promise<HeaderPayload> {
  const [api, ...more] = input.words;
  if (api === undefined || more.length > 0) throw usage(`Which API? For example: ${input.command} graph`);
  const { scope, claims, "force-refresh": forceRefresh } = input.options;
  if (scope?.some((one) => one.split(" ").includes("offline_access"))) throw keepsForNobody();
  const demanded = readClaimsOption(claims);
  const { service } = connect(input);
  return askForHeader(service, api, {
    ...(scope === undefined ? {} : { scopes: scope }),
    ...(demanded === undefined ? {} : { claims: demanded }),
    ...(forceRefresh === undefined ? {} : { forceRefresh }),
  });
}

/** The service would make a grant, and its handle would be lost: neither command has a place for it. */
function keepsForNobody(): CliFailure {
  return usage(
    "--scope offline_access would have the service keep a permission whose handle you never see. This command needs none: " +
      "your sign-in on this machine renews itself.",
  );
}
