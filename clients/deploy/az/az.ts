/**
 * Runs the Azure CLI. Shows each command as a line of a shell, repeats a command whose failure passes, and runs nothing that
 * changes something in a dry run.
 */
import * as z from "zod/mini";
import type { World } from "../world.ts";
import { AzFailure, type AzFailureKind, classifyAzError, messageOf } from "./az-failure.ts";
import { shellLine } from "./shell-line.ts";

export interface Az {
  /** A command that changes nothing. Runs in a dry run too. Returns its JSON. */
  read<T>(args: readonly string[], schema: z.ZodMiniType<T>): Promise<T>;
  /** The same for output that a person reads. */
  show(args: readonly string[]): Promise<string>;
  /** A command that changes something, and can be repeated. Undefined in a dry run, which only shows it. */
  change(args: readonly string[], passing?: readonly AzFailureKind[]): Promise<string | undefined>;
  /** Like `change`, for a command with JSON. */
  make<T>(
    args: readonly string[],
    schema: z.ZodMiniType<T>,
    passing?: readonly AzFailureKind[],
  ): Promise<T | undefined>;
}

export function createAz(world: World, dryRun: boolean): Az {
  const run = (args: readonly string[], passing: readonly AzFailureKind[] = []) => runPatiently(world, args, passing);
  const change: Az["change"] = async (args, passing) => {
    if (!dryRun) return run(args, passing);
    world.terminal.note(`would run: ${shellLine("az", args)}`);
    return undefined;
  };
  return {
    read: async (args, schema) => decode(await run([...args, "--output", "json"]), schema, args),
    show: (args) => run(args),
    change,
    make: async (args, schema, passing) => {
      const text = await change([...args, "--output", "json"], passing);
      return text === undefined ? undefined : decode(text, schema, args);
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

/** Failures that pass for every command, with the sentence that a person reads. */
const ALWAYS: readonly AzFailureKind[] = ["throttled", "unreachable", "busy"];
const REASONS: Partial<Record<AzFailureKind, string>> = {
  throttled: "Azure limits the number of requests.",
  unreachable: "Azure does not answer.",
  busy: "Another operation is still running.",
  role_is_new: "The role assignment is new, and Azure does not apply it yet. This takes up to ten minutes.",
  replication: "Entra does not find yet what it has just created.",
};
/** Ten minutes in total, which is how long a role assignment takes at most. */
const WAITS_SECONDS: readonly number[] = [5, 10, 15, 30, 30, 30, 60, 60, 60, 60, 60, 60, 60, 60];
const TIMEOUT_MS = 90 * 60_000;

async function runPatiently(world: World, args: readonly string[], passing: readonly AzFailureKind[]): Promise<string> {
  const waits = [...WAITS_SECONDS];
  for (;;) {
    const result = await runOnce(world, args);
    if (typeof result === "string") return result;
    const passes = [...ALWAYS, ...passing].includes(result.kind);
    const wait = passes ? waits.shift() : undefined;
    if (wait === undefined) throw result;
    world.terminal.note(`  ${REASONS[result.kind] ?? result.message} Next attempt in ${wait} seconds.`);
    await world.pause(wait * 1_000);
  }
}

async function runOnce(world: World, args: readonly string[]): Promise<string | AzFailure> {
  const line = shellLine("az", args);
  world.terminal.note(`$ ${line}`);
  const { code, out, errors } = await world.start("az", args, TIMEOUT_MS);
  if (code === 0) return out;
  if (code === undefined) return new AzFailure("not_installed", line, "The Azure CLI (az) does not start.");
  return new AzFailure(classifyAzError(errors), line, messageOf(errors));
}

/** The text of the CLI, as data of a known form. */
function decode<T>(text: string, schema: z.ZodMiniType<T>, args: readonly string[]): T {
  const parsed = z.safeParse(schema, parse(text));
  if (parsed.success) return parsed.data;
  throw new AzFailure("other", shellLine("az", args), "The Azure CLI printed something else than expected.");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
