/**
 * `logout`: deletes the tokens on this machine, for every service or for the one in `--service`. The settings that `login`
 * saved stay. The session at Entra and the grants that the service stores stay as well.
 */
import { EXIT } from "../exit-codes.ts";
import { findHome, serviceFolder, tokensPath } from "../home.ts";
import { removePrivateFile } from "../private-file.ts";
import { listFolders } from "../saved-settings.ts";
import { checkService } from "../settings.ts";
import { type Command, print } from "./command.ts";

export const logout: Command = async ({ options, terminal }) => {
  const home = findHome(options, terminal);
  const { service } = options;
  const folders = service === undefined ? listFolders(home) : [serviceFolder(home, checkService(service))];
  for (const folder of folders) removePrivateFile(tokensPath(folder));
  if (options.json === true) print(terminal, { signedIn: false });
  else terminal.note("Signed out on this machine.");
  return EXIT.ok;
};
