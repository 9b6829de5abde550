/** Asks the playground as its page does. */
import type { Trace } from "../../../local/playground/trace/trace.ts";
import type { Stack } from "../../../local/stack/stack.ts";

export async function askPlayground(
  { service }: Stack,
  operation: string,
  input: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${service.url}/playground/${operation}`, {
    method: "POST",
    headers: { origin: service.url, "content-type": "application/json", ...headers },
    body: JSON.stringify(input),
  });
}

export async function playFlow(stack: Stack, input: object): Promise<Trace> {
  const answer = await askPlayground(stack, "run", input);
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { trace: Trace }).trace;
}
