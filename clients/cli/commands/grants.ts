/**
 * `grants list` and `grants revoke <id>`: the permissions that the service keeps for this person and this client, and
 * those that applications have in this person's name.
 */
import { oneLine, usage } from "../cli-failure.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { ServiceClient } from "../service-client.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";

/** Far more grants than one person makes; a service that pages for ever is left. */
const MOST_PAGES = 50;

export const grants: Command = (input) => {
  const [action, id, ...more] = input.words;
  if (action === "list" && id === undefined) return list(input);
  if (action === "revoke" && id !== undefined && more.length === 0) return revoke(input, id);
  throw usage("grants list, or grants revoke <id>");
};

async function list(input: CommandInput): Promise<ExitCode> {
  const { service } = connect(input);
  const all = await listGrants(service);
  if (input.options.json === true) print(input.terminal, all);
  else input.terminal.out(all.length === 0 ? "No grants.\n" : all.map(describe).join(""));
  return EXIT.ok;
}

async function revoke(input: CommandInput, id: string): Promise<ExitCode> {
  const { service } = connect(input);
  const { revoked } = await service.ask({ path: "/oauth2/revoke", form: { token: id } });
  if (input.options.json === true) print(input.terminal, { revoked });
  else input.terminal.note(revoked === true ? "Revoked." : "There is no such grant of yours.");
  return EXIT.ok;
}

async function listGrants(service: ServiceClient): Promise<Record<string, unknown>[]> {
  const all: Record<string, unknown>[] = [];
  let after: string | undefined = "";
  for (let pages = 0; after !== undefined && pages < MOST_PAGES; pages += 1) {
    const path: string = after === "" ? "/grants" : `/grants?after=${encodeURIComponent(after)}`;
    const page: Record<string, unknown> = await service.ask({ path });
    const listed: unknown = page["grants"];
    if (Array.isArray(listed)) all.push(...listed);
    after = typeof page["next"] === "string" ? page["next"] : undefined;
  }
  return all;
}

function describe({ id, apis, expiresOn, application }: Record<string, unknown>): string {
  const byApi = typeof apis === "object" && apis !== null ? Object.entries(apis) : [];
  const covers = byApi.map(([api, scopes]) => `${api}  ${Array.isArray(scopes) ? scopes.join(" ") : ""}`).join(", ");
  const holder = typeof application === "string" ? `  held by ${application}` : "";
  return `${oneLine(`${String(id)}  ${covers}  until ${String(expiresOn)}${holder}`)}\n`;
}
