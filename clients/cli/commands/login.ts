/**
 * `login`: reads the service's metadata, signs the person in at the authority that it names, and saves the settings and
 * tokens for later commands. Only `login` reads metadata, because here a person has just named the service.
 */
import { readClaimsOption } from "../claims.ts";
import { usageFailure } from "../cli-failure.ts";
import { EXIT } from "../exit-codes.ts";
import { tokensPath } from "../home.ts";
import { checkWritable, removePrivateFile } from "../private-file.ts";
import { saveSettings } from "../save-settings.ts";
import { forgetService, writeLastService } from "../saved-settings.ts";
import { audienceOf, conflictingServices, serviceConflict } from "../service-conflicts.ts";
import { discoverSettings } from "../settings.ts";
import { createSignIn } from "../sign-in.ts";
import { type Command, print } from "./command.ts";

export const login: Command = async ({ operands, options, terminal }) => {
  if (operands.length > 0) throw usageFailure("login takes only options.");
  const claims = readClaimsOption(options.claims);
  const settings = await discoverSettings(options, terminal);
  const { home, folder, service, authority } = settings;
  checkWritable(home);
  const replace = options.replace === true;
  const sameScope = conflictingServices(settings);
  if (sameScope.length > 0 && !replace) throw serviceConflict(settings, sameScope);
  const signIn = createSignIn(settings, { browser: options.browser === true, interactive: true }, terminal);
  const { account, accessToken } = await signIn.acquireTokenInteractive(claims);
  const audience = audienceOf(accessToken);
  const sameApi = conflictingServices(settings, audience);
  if (sameApi.length > 0 && !replace) {
    removePrivateFile(tokensPath(folder));
    throw serviceConflict(settings, sameApi);
  }
  for (const other of sameApi) forgetService(home, other);
  saveSettings(settings, audience);
  writeLastService(home, service);
  const username = account?.username;
  if (options.json === true) print(terminal, { username, service, authority });
  else terminal.note(`Signed in as ${username ?? "?"} for ${service}.`);
  return EXIT.ok;
};
