/** `logout`: forgets the tokens on this machine. The session at Entra and grants kept by the service are not touched. */
import { EXIT } from "../exit-codes.ts";
import { findHome, tokensPath } from "../home.ts";
import { removePrivateFile } from "../private-file.ts";
import { type Command, print } from "./command.ts";

export const logout: Command = async ({ options, terminal }) => {
  removePrivateFile(tokensPath(findHome(options, terminal)));
  if (options.json === true) print(terminal, { signedIn: false });
  else terminal.note("Signed out on this machine.");
  return EXIT.ok;
};
