/**
 * Fuzzes every route. `npm run fuzz -- --seconds 600 --seed 7` runs it longer. A failure prints the seed and the smallest
 * request that fast-check found.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CODES } from "../../shared/telemetry/codes.ts";
import { USER_IDS } from "../support/callers.ts";
import { createLeakSearch } from "../support/leak-search.ts";
import { OWN_CREDENTIALS } from "../support/own-credentials.ts";
import type { Answer } from "../support/service-under-test.ts";
import { useWorld } from "../support/use-world.ts";
import { type Sentence, sentences } from "./support/grammar.ts";
import { collectVocabulary, type Vocabulary } from "./support/vocabulary.ts";

const SEED = Number(process.env["FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const SECONDS = Number(process.env["FUZZ_SECONDS"] ?? (process.env["CI"] === "true" ? 4 : 2));
/** Names that only the policy and the directory know. */
const PRIVATE = ["web-users", "web-backend", "Contoso Nightly Job", "cli-users", "Alice", USER_IDS.alice, USER_IDS.bob];

const { world, service } = useWorld({ settings: OWN_CREDENTIALS });
let vocabulary: Vocabulary;
const search = createLeakSearch("signatures");
const counts = { sent: 0, statuses: new Map<number, number>() };

beforeAll(async () => {
  vocabulary = await collectVocabulary(service);
  const { tokens, handles, secrets } = vocabulary;
  for (const secret of [...tokens, ...handles.slice(0, 4), ...secrets]) search.add("a secret of a request", secret);
});
afterAll(() => {
  const statuses = [...counts.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`);
  process.stdout.write(`fuzz: seed ${SEED}, ${counts.sent} requests: ${statuses.join(", ")}\n`);
});

/** Undefined: the host refuses this path, or no route has it. */
async function send({ path, call }: Sentence): Promise<{ answer: Answer; lines: readonly string[] } | undefined> {
  const before = service.logs.length;
  try {
    const answer = await service.call(path, call);
    counts.sent += 1;
    counts.statuses.set(answer.status, (counts.statuses.get(answer.status) ?? 0) + 1);
    // The world keeps every answer for other tests. Here they would fill the memory.
    world.answers.length = 0;
    world.calls.length = 0;
    world.logs.length = 0;
    return { answer, lines: service.logs.splice(before) };
  } catch (error) {
    if (/^(the host refuses|no route for)/.test(String((error as Error).message))) return undefined;
    throw error;
  }
}

function fuzz(strangers: boolean, check: (sentence: Sentence) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(sentences(vocabulary, strangers), check);
  const interruptAfterTimeLimit = (SECONDS * 1_000) / 2;
  return fc.assert(property, {
    seed: SEED,
    numRuns: 10_000_000,
    interruptAfterTimeLimit,
    markInterruptAsFailure: false,
  });
}

describe("any request to any route", () => {
  test("gets a documented answer, never 500, and no secret of it is in an error or a log line", async () => {
    await fuzz(false, async (sentence) => {
      const sent = await send(sentence);
      if (sent === undefined) return;
      const { answer, lines } = sent;
      expect(answer.status, JSON.stringify(lines)).not.toBe(500);
      const events = lines.filter((line) => line.includes('"event":"exchange"')).map((line) => JSON.parse(line));
      for (const { code } of events) expect(CODES).toContain(code);
      if (answer.status >= 400) expect(search.find("answer", textOf(answer))).toEqual([]);
      expect(lines.flatMap((line) => search.find("log", line))).toEqual([]);
    });
  });

  test("of a stranger changes nothing at Entra, and its answer names nothing of the policy or of a person", async () => {
    const entraCalls = () => world.tenant.state.requestCounts()["token"] ?? 0;
    await fuzz(true, async (sentence) => {
      const before = entraCalls();
      const sent = await send(sentence);
      if (sent === undefined) return;
      const { answer, lines } = sent;
      expect(answer.status).not.toBe(500);
      // Entra alone knows whether a listed client's secret is right, so a guess may reach it, within a budget.
      const isGuess = lines.some((line) => /"clientAuthentication":"entra_(secret|assertion)"/.test(line));
      if (!isGuess) expect(entraCalls()).toBe(before);
      expect(PRIVATE.filter((name) => textOf(answer).includes(name))).toEqual([]);
      expect(answer.text).not.toMatch(/"(access_token|authorizationHeader|grants)"/);
    });
  });
});

function textOf({ text, headers }: Answer): string {
  return `${[...headers].map(([name, value]) => `${name}: ${value}`).join("\n")}\n${text}`;
}
