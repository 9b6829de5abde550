/**
 * `npm run demo`: shows step by step what the service does. It uses the running local stack, or starts one on free ports.
 * It prints each request and answer. The exit code is 0 only if every step passed.
 */
import { type LocalEnvironment, readEnvironment } from "./caller/environment.ts";
import { localRequest } from "./caller/local-request.ts";
import { shortenTokens } from "./caller/show-token.ts";
import { createDemo } from "./demo/demo-step.ts";
import { demoSteps } from "./demo/steps.ts";
import { startStack } from "./stack/stack.ts";

async function main(): Promise<number> {
  const running = await findRunning();
  if (running !== undefined) {
    console.log(`Using the running stack at ${running.serviceUrl}.`);
    return runSteps(running);
  }
  console.log("No stack is running. Starting one on free ports.");
  const stack = await startStack();
  try {
    return await runSteps(stack.environment);
  } finally {
    await stack.stop();
  }
}

// ---------------------------------------------------------------------------------------------------------------

async function findRunning(): Promise<LocalEnvironment | undefined> {
  const environment = readEnvironment();
  if (environment === undefined) return undefined;
  try {
    const { status } = await localRequest(`${environment.serviceUrl}/healthz`);
    return status === 200 ? environment : undefined;
  } catch {
    return undefined; // A stack that was killed leaves this file behind.
  }
}

async function runSteps(environment: LocalEnvironment): Promise<number> {
  const demo = createDemo(environment, (line) => console.log(`   ${line}`));
  const failed: number[] = [];
  for (const [index, step] of demoSteps.entries()) {
    console.log(`\n${index + 1}. ${step.name}`);
    try {
      await step.run(demo);
      console.log("   ✓");
    } catch (error) {
      failed.push(index + 1);
      console.log(`   ✗ ${shortenTokens(error instanceof Error ? error.message : String(error))}`);
    }
  }
  const passed = demoSteps.length - failed.length;
  console.log(
    `\n${passed} of ${demoSteps.length} steps passed${failed.length > 0 ? `; failed: ${failed.join(", ")}` : ""}.`,
  );
  return failed.length === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(1);
  },
);
