/** `login`: asks the service where its tokens come from, signs the person in there, and keeps both for later commands. */
import { readClaimsOption } from "../claims.ts";
import { usage } from "../cli-failure.ts";
import { EXIT } from "../exit-codes.ts";
import { readSavedSettings, writeSavedSettings } from "../home.ts";
import { resolveSettings, type Settings } from "../settings.ts";
import { createSignIn } from "../sign-in.ts";
import { type Command, print } from "./command.ts";

export const login: Command = async ({ words, options, terminal }) => {
  if (words.length > 0) throw usage("login takes options only.");
  const claims = readClaimsOption(options.claims);
  const settings = await resolveSettings(options, terminal, "anew");
  const signIn = createSignIn(settings, { browser: options.browser === true, mayAsk: true }, terminal);
  const { account } = await signIn.ask(claims);
  save(settings);
  const { service, authority } = settings;
  const username = account?.username;
  if (options.json === true) print(terminal, { username, service, authority });
  else terminal.note(`Signed in as ${username ?? "?"} for ${service}.`);
  return EXIT.ok;
};

/** Settings that only a person writes (`apis`) stay as they are. */
function save({ home, service, clientId, authority, scope, caFile, apis }: Settings): void {
  const kept = readSavedSettings(home).service === service ? readSavedSettings(home) : {};
  const all = { ...kept, service, clientId, authority, scope, apis };
  writeSavedSettings(home, caFile === undefined ? all : { ...all, caFile });
}
