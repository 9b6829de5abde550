/**
 * `admin grants` and `admin revoke`: an administrator lists and revokes the grants of others. A revocation is shown first
 * (dry run) and happens after a confirmation.
 */
import { createHash } from "node:crypto";
import { CliFailure, oneLine, usageFailure } from "../cli-failure.ts";
import type { Options } from "../command-line.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { type Command, type CommandInput, connect, print } from "./command.ts";
import { collectPages } from "./pages.ts";

const KINDS = ["person", "caller", "entry", "api", "grant", "everything"] as const;
type Kind = (typeof KINDS)[number];

interface Target {
  readonly kind: Kind;
  readonly value: string | true;
}

const HANDLE = /^gte_[\w-]{43}$/;
const YES = "yes";

export const admin: Command = (input) => {
  const [action, ...more] = input.operands;
  if (action === "grants" && more.length === 0) return list(input);
  if (action === "revoke" && more.length === 0) return revoke(input);
  throw usageFailure("The admin commands are: admin grants and admin revoke.", "gte admin --help");
};

async function list(input: CommandInput): Promise<ExitCode> {
  const target = readTarget(input.options);
  const query = target === undefined ? "" : `?${target.kind}=${encodeURIComponent(String(target.value))}`;
  const all = await collectPages(connect(input).service, `/manage/grants${query}`);
  if (input.options.json === true) print(input.terminal, all);
  else input.terminal.out(all.length === 0 ? "No grants.\n" : all.map(toLine).join(""));
  return EXIT.ok;
}

async function revoke(input: CommandInput): Promise<ExitCode> {
  const { options, terminal } = input;
  const target = readTarget(options);
  if (target === undefined) throw usageFailure(`Name what to revoke: ${OPTIONS}.`, "gte admin --help");
  if (options.reason === undefined) throw usageFailure("Give the reason with --reason.", "gte admin --help");
  const { service } = connect(input);
  const post = (dryRun: boolean) =>
    service.request({
      path: "/manage/revocations",
      json: { [target.kind]: target.value, reason: options.reason, dryRun },
    });
  const preview = await post(true);
  if (options["dry-run"] === true) return show(input, preview);
  const what = target.kind === "everything" ? "everything" : `the ${target.kind} ${oneLine(String(target.value))}`;
  terminal.note(`This revokes ${what}: ${countOf(preview)}, and cached tokens. It cannot be undone.`);
  await confirm(input);
  return show(input, await post(false));
}

// ------------------------------------------------------------------------------------------------------------------

const OPTIONS = "--person, --caller, --entry, --api, --grant or --everything";

function readTarget(options: Options): Target | undefined {
  const [target, second] = KINDS.flatMap((kind): Target[] => {
    const value = options[kind];
    return value === undefined || value === false ? [] : [{ kind, value }];
  });
  if (second !== undefined) throw usageFailure(`Name only one of ${OPTIONS}.`, "gte admin --help");
  // A handle stays on this machine: its hash is the id of its grant.
  return target?.kind === "grant" && HANDLE.test(String(target.value))
    ? { kind: "grant", value: createHash("sha256").update(String(target.value)).digest("hex") }
    : target;
}

async function confirm({ options, terminal }: CommandInput): Promise<void> {
  if (options.yes === true) return;
  if (!terminal.attended) {
    throw usageFailure("Without a terminal, confirm the revocation with --yes.", "gte admin --help");
  }
  const answer = await terminal.ask(`Type ${YES} to revoke: `);
  if (answer.trim() !== YES) throw new CliFailure(EXIT.refused, "not_confirmed", "Nothing was revoked.");
}

function show({ options, terminal }: CommandInput, answer: Record<string, unknown>): ExitCode {
  if (options.json === true) print(terminal, answer);
  else if (answer["dryRun"] === true) terminal.out(`Concerns ${countOf(answer)}. Nothing was revoked.\n`);
  else
    terminal.out(oneLine(`Revoked ${countOf(answer)}. In effect everywhere by ${answer["effectiveOn"]}.`).concat("\n"));
  return EXIT.ok;
}

function countOf({ grants, more }: Record<string, unknown>): string {
  if (typeof grants !== "number") return "grants (not counted)";
  return `${more === true ? "at least " : ""}${grants} ${grants === 1 ? "grant" : "grants"}`;
}

function toLine({ id, kind, clientId, userObjectId, entry, expiresOn }: Record<string, unknown>): string {
  return `${oneLine(`${id}  person ${userObjectId}  ${kind} ${clientId}  entry ${entry}  until ${expiresOn}`)}\n`;
}
