/**
 * `logout`: forgets the tokens on this machine, of every service or of the one that `--service` names. What `login` found
 * out about a service stays. The session at Entra and grants kept by the service are not touched.
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
