/** Waits until the service answers `/ready` with this version: an older one may answer while Azure replaces it. */
import * as z from "zod/mini";
import { CliFailure } from "../../cli/cli-failure.ts";
import { EXIT } from "../../cli/exit-codes.ts";
import type { DeployContext } from "../context.ts";
import type { Answer } from "../world.ts";

const WAIT_SECONDS = 10;
/** Ten minutes: a new federated credential and a new role assignment take that long. */
const ATTEMPTS = 60;

export async function waitUntilReady({ plan, world, options, say }: DeployContext): Promise<void> {
  const url = `${plan.serviceUrl}/ready`;
  const version = world.version();
  if (options.dryRun) {
    say(`would wait: ${url} until it is ready with version ${version}`);
    return;
  }
  let state = "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const next = describe(await world.send(url).catch(() => undefined), version);
    if (next === undefined) {
      say(`${plan.serviceUrl} is ready with version ${version}.`);
      return;
    }
    if (next !== state) say(`  ${next} Waiting.`);
    state = next;
    await world.pause(WAIT_SECONDS * 1_000);
  }
  throw new CliFailure(
    EXIT.unavailable,
    "not_ready",
    `The service did not become ready in ten minutes. ${state} See docs/troubleshooting.md and docs/operate.md, Readiness.`,
  );
}

// ---------------------------------------------------------------------------------------------------------------

const readySchema = z.object({ status: z.string(), version: z.string() });

/** Undefined: ready. */
function describe(answer: Answer | undefined, version: string): string | undefined {
  if (answer === undefined) return "The service does not answer.";
  const ready = z.safeParse(readySchema, parse(answer.text));
  if (!ready.success) return `The service answers ${answer.status}.`;
  if (ready.data.version !== version) return `Version ${ready.data.version} answers, and ${version} is deployed.`;
  return answer.status === 200
    ? undefined
    : "The service is not ready: a key, a credential or the grant table is missing.";
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
