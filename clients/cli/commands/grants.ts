/**
 * `grants list` and `grants revoke <id>`: the grants that the service stores for this person and this client, and the
 * grants with which applications act on this person's behalf.
 */
import { CliFailure, oneLine, usageFailure } from "../cli-failure.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";
import { collectPages } from "./pages.ts";

/** An id from `grants list`, or a grant handle, for example one that leaked. */
const ID_OR_HANDLE = /^(?:[0-9a-f]{64}|gte_[\w-]{43})$/;

export const grants: Command = (input) => {
  const [action, id, ...more] = input.operands;
  if (action === "list" && id === undefined) return list(input);
  if (action === "revoke" && id !== undefined && more.length === 0) return revoke(input, id);
  throw usageFailure("The grants commands are: grants list and grants revoke <id>.");
};

async function list(input: CommandInput): Promise<ExitCode> {
  const { service } = connect(input);
  const all = await collectPages(service, "/grants");
  if (input.options.json === true) print(input.terminal, all);
  else input.terminal.out(all.length === 0 ? "No grants.\n" : all.map(toLine).join(""));
  return EXIT.ok;
}

async function revoke(input: CommandInput, id: string): Promise<ExitCode> {
  if (!ID_OR_HANDLE.test(id))
    throw usageFailure("The id must be the 64 characters that grants list shows, or a grant handle.");
  const { service } = connect(input);
  const { revoked } = await service.request({ path: "/oauth2/revoke", form: { token: id } });
  if (revoked !== true) {
    throw new CliFailure(EXIT.refused, "grant_unknown", "You have no grant with this id.", { run: "gte grants list" });
  }
  if (input.options.json === true) print(input.terminal, { revoked });
  else input.terminal.note("Revoked.");
  return EXIT.ok;
}

function toLine({ id, apis, expiresOn, application, lastError }: Record<string, unknown>): string {
  const byApi = typeof apis === "object" && apis !== null ? Object.entries(apis) : [];
  const consented = byApi.map(([api, scopes]) => `${api}  ${Array.isArray(scopes) ? scopes.join(" ") : ""}`).join(", ");
  const holder = typeof application === "string" ? `  held by ${application}` : "";
  const code = typeof lastError === "object" && lastError !== null && "code" in lastError ? lastError.code : undefined;
  const failed = code === undefined ? "" : `  fails with ${String(code)}`;
  return `${oneLine(`${String(id)}  ${consented}  until ${String(expiresOn)}${holder}${failed}`)}\n`;
}
