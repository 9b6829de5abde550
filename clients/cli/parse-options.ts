/** Parses arguments; what Node refuses is wrong usage of the command. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { usageFailure } from "./cli-failure.ts";

export function parseOptions<Config extends ParseArgsConfig>(config: Config): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw usageFailure(error instanceof Error ? error.message : String(error));
  }
}
