/**
 * `login`: asks the service where its tokens come from, signs the person in there, and keeps both for later commands. The
 * only command that discovers, because a person has just named the service.
 */
import { readClaimsOption } from "../claims.ts";
import { usage } from "../cli-failure.ts";
import { EXIT } from "../exit-codes.ts";
import { tokensPath } from "../home.ts";
import { removePrivateFile } from "../private-file.ts";
import { audienceOf, rivalry, rivalsOf } from "../rival-services.ts";
import { forgetService, writeSavedSettings } from "../saved-settings.ts";
import { discoverSettings, type Settings } from "../settings.ts";
import { createSignIn } from "../sign-in.ts";
import { type Command, print } from "./command.ts";

export const login: Command = async ({ words, options, terminal }) => {
  if (words.length > 0) throw usage("login takes options only.");
  const claims = readClaimsOption(options.claims);
  const settings = await discoverSettings(options, terminal);
  const { home, folder, service, authority } = settings;
  const replace = options.replace === true;
  const named = rivalsOf(settings);
  if (named.length > 0 && !replace) throw rivalry(settings, named);
  const signIn = createSignIn(settings, { browser: options.browser === true, mayAsk: true }, terminal);
  const { account, accessToken } = await signIn.ask(claims);
  const audience = audienceOf(accessToken);
  const rivals = rivalsOf(settings, audience);
  if (rivals.length > 0 && !replace) {
    removePrivateFile(tokensPath(folder));
    throw rivalry(settings, rivals);
  }
  for (const rival of rivals) forgetService(home, rival);
  save(settings, audience);
  const username = account?.username;
  if (options.json === true) print(terminal, { username, service, authority });
  else terminal.note(`Signed in as ${username ?? "?"} for ${service}.`);
  return EXIT.ok;
};

function save(settings: Settings, audience: string | undefined): void {
  const { home, service, clientId, authority, scope, caFile, apis } = settings;
  writeSavedSettings(home, {
    service,
    clientId,
    authority,
    scope,
    ...(audience === undefined ? {} : { audience }),
    ...(caFile === undefined ? {} : { caFile }),
    apis,
  });
}
