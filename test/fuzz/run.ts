/** `npm run fuzz -- --seconds N --seed S`: fuzzes every route for that long. The default is a minute and a new seed. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "60" }, seed: { type: "string" } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
process.stdout.write(`npm run fuzz -- --seconds ${values.seconds} --seed ${seed}\n`);
const milliseconds = String(Number(values.seconds) * 1_000 + 120_000);
const command = ["node_modules/vitest/vitest.mjs", "run", "test/fuzz", `--testTimeout=${milliseconds}`, "--retry=0"];
const child = spawn(process.execPath, command, {
  stdio: "inherit",
  env: { ...process.env, FUZZ_SECONDS: values.seconds, FUZZ_SEED: seed },
});
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
