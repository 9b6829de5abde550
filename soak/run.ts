/** `npm run soak -- --minutes N --seed S`. The default is one minute and a new seed. */
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string" } },
});
const seed = values.seed ?? String(Math.floor(Math.random() * 2 ** 31));
console.log(`npm run soak -- --minutes ${values.minutes} --seed ${seed}`);
/** The last check of every grant comes after the minutes. */
const milliseconds = String(Number(values.minutes) * 60_000 * 2 + 300_000);
const command = ["node_modules/vitest/vitest.mjs", "run", "test/soak", `--testTimeout=${milliseconds}`, "--retry=0"];
const child = spawn(process.execPath, command, {
  stdio: "inherit",
  env: { ...process.env, SOAK_MINUTES: values.minutes, SOAK_SEED: seed },
});
child.on("exit", (code) => {
  process.exitCode = code ?? 1;
});
