/**
 * The administrator's token for Microsoft Graph: from a file or standard input, or from the Azure CLI. Never from an
 * argument, which every process of the machine can read, and never written anywhere.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { CliFailure, settingsFailure } from "../cli/cli-failure.ts";
import { EXIT } from "../cli/exit-codes.ts";
import type { Terminal } from "../cli/terminal.ts";

export interface TokenSource {
  /** Read the token from standard input. */
  readonly fromInput: boolean;
  readonly terminal: Pick<Terminal, "env" | "input">;
}

export async function administratorToken({ fromInput, terminal }: TokenSource): Promise<string> {
  if (fromInput) return checked(new TextDecoder().decode(await terminal.input()), "standard input");
  const file = terminal.env["GTE_GRAPH_TOKEN_FILE"];
  if (file !== undefined && file !== "") return checked(readToken(file), "the file of GTE_GRAPH_TOKEN_FILE");
  return checked(fromAzureCli(), "az account get-access-token");
}

// ---------------------------------------------------------------------------------------------------------------

/** RFC 6750 section 2.1: the characters of a bearer token. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

function checked(text: string, source: string): string {
  const token = text.trim();
  if (!BEARER_TOKEN.test(token)) throw settingsFailure(`There is no access token in ${source}.`);
  return token;
}

function readToken(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw settingsFailure(`The file of GTE_GRAPH_TOKEN_FILE cannot be read: ${file}`);
  }
}

const AZ = "az account get-access-token --resource-type ms-graph --query accessToken --output tsv";

/** On Windows `az` is a script, which only a shell starts. The command is a constant. */
function fromAzureCli(): string {
  const run = spawnSync(AZ, { shell: true, encoding: "utf8", timeout: 60_000 });
  if (run.status === 0) return run.stdout;
  throw new CliFailure(
    EXIT.signIn,
    "sign_in",
    "The Azure CLI gave no token for Microsoft Graph. Run: az login. Or set GTE_GRAPH_TOKEN_FILE, or use --token-stdin.",
  );
}
