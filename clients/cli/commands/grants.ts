/**
 * `grants list` and `grants revoke <id>`: the permissions that the service keeps for this person and this client, and
 * those that applications have in this person's name.
 */
import { CliFailure, oneLine, usage } from "../cli-failure.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { ServiceClient } from "../service-client.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";

/** An id as the list shows it; or a handle, from whoever holds one, for example because it leaked. */
const ID_OR_HANDLE = /^(?:[0-9a-f]{64}|gte_[\w-]{43})$/;

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
  if (!ID_OR_HANDLE.test(id)) throw usage("The id of a grant has 64 characters: write it as grants list shows it.");
  const { service } = connect(input);
  const { revoked } = await service.ask({ path: "/oauth2/revoke", form: { token: id } });
  if (revoked !== true) {
    throw new CliFailure(EXIT.refused, "grant_unknown", "There is no such grant of yours.", { run: "gte grants list" });
  }
  if (input.options.json === true) print(input.terminal, { revoked });
  else input.terminal.note("Revoked.");
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
