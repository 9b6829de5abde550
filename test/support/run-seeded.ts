/** Runs test files for a time that the command line names, with a seed that the run prints, so that it can be repeated. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

export interface SeededRun {
  /** npm script, folder with the tests, and prefix of the variables that they read: `soak`, `SOAK_SEED`. */
  readonly name: string;
  readonly unit: "minutes" | "seconds";
  /** How long without the option. */
  readonly long: string;
  /** Milliseconds after which the run counts as hanging. */
  readonly timeoutMs: (long: number) => number;
}

export function runSeeded({ name, unit, long, timeoutMs }: SeededRun): void {
  const { values } = parseArgs({ options: { [unit]: { type: "string", default: long }, seed: { type: "string" } } });
  const chosen = String(values[unit]);
  const seed = String(values["seed"] ?? Math.floor(Math.random() * 2 ** 31));
  process.stdout.write(`npm run ${name} -- --${unit} ${chosen} --seed ${seed}\n`);
  const timeout = `--testTimeout=${timeoutMs(Number(chosen))}`;
  const variable = (suffix: string) => `${name}_${suffix}`.toUpperCase();
  const child = spawn(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", `test/${name}`, timeout, "--retry=0"],
    {
      stdio: "inherit",
      env: { ...process.env, [variable(unit)]: chosen, [variable("seed")]: seed },
    },
  );
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
