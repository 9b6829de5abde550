/** Runs the rounds of a plan until the time is over, and compares every answer with the invariants. */
import { createLeakSearch } from "../test/support/leak-search.ts";
import { type ClientsContext, claimsOf, nowSeconds, redeem, take } from "./clients.ts";
import { begin, endAll, type FaultContext } from "./faults.ts";
import { violationsOf } from "./invariants.ts";
import type { Observed, Violation } from "./ledger.ts";
import { planRounds, type Round } from "./plan.ts";

export interface SoakInput extends ClientsContext, FaultContext {
  readonly seed: number;
  /** No round starts later, milliseconds since 1970. */
  readonly endMs: number;
  readonly roundsMin: number;
}

export interface SoakReport {
  readonly rounds: number;
  readonly requests: number;
  readonly faults: number;
  readonly grants: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly simulatedHours: number;
  readonly violations: readonly Violation[];
}

/** Waits that Entra imposed, and the pauses of a broken connection, end within this time. */
const EXCUSE_MS = 90_000;
/** Enough to read; more of the same kind says nothing new. */
const VIOLATIONS_MAX = 20;

export async function runSoak(input: SoakInput): Promise<SoakReport> {
  const { world, ledger } = input;
  const counts = { rounds: 0, requests: 0, faults: 0 };
  const statuses: Record<string, number> = {};
  const violations: Violation[] = [];
  const startedMs = world.clock.nowMs();
  let excusedUntilMs = 0;
  for (const round of planRounds(input.seed, ledger.people.length)) {
    const isOver = Date.now() > input.endMs && counts.rounds >= input.roundsMin;
    if (isOver || violations.length >= VIOLATIONS_MAX) break;
    const observed = await runRound(input, round);
    const now = world.clock.nowMs();
    if (round.faults.length > 0) excusedUntilMs = now + EXCUSE_MS;
    const facts = { excused: now < excusedUntilMs, nowSeconds: nowSeconds(input) };
    for (const one of observed) {
      statuses[one.answer.status] = (statuses[one.answer.status] ?? 0) + 1;
      violations.push(...violationsOf(one, facts));
    }
    violations.push(...leaks(input, observed), ...lateAssertions(input));
    counts.rounds += 1;
    counts.requests += observed.length;
    counts.faults += round.faults.length;
    world.clock.advance(round.advanceMs);
  }
  world.clock.advance(EXCUSE_MS);
  violations.push(...(await lostGrants(input)));
  const simulatedHours = Math.round((world.clock.nowMs() - startedMs) / 3_600_000);
  return { ...counts, grants: ledger.grants.length, statuses, simulatedHours, violations };
}

// ---------------------------------------------------------------------------------------------------------------

async function runRound(input: SoakInput, round: Round): Promise<Observed[]> {
  for (const fault of round.faults) await begin(input, fault);
  const observed = await Promise.all(round.steps.map((step) => take(input, step)));
  await endAll(input, round.faults);
  return observed.filter((one) => one !== undefined);
}

/** Neither a log line nor a refusal contains a token or a handle of this round. */
function leaks({ world, instances, ledger }: SoakInput, observed: readonly Observed[]): Violation[] {
  const search = createLeakSearch("signatures");
  for (const { answer, owner, grant } of observed) {
    search.add("a caller's token", owner?.token);
    search.add("a handle", grant?.handle);
    if (answer.status === 200) search.add("a released token", released(answer.json()));
  }
  for (const { handle } of ledger.grants.slice(-20)) search.add("a handle", handle);
  const lines = instances.flatMap(({ logs }) => logs.splice(0));
  const refusals = observed.filter(({ answer }) => answer.status >= 400).map(({ answer }) => answer.text);
  // The world keeps what other tests look at. Here it would fill the memory.
  for (const list of [world.logs, world.answers, world.calls, world.cacheKeys]) list.length = 0;
  const found = [...lines, ...refusals].flatMap((text) => search.find("text", text));
  return found.map(({ what, where }) => ({
    rule: "no secret is in a log line or a refusal",
    detail: `${what}: ${where}`,
  }));
}

function released({ access_token: token, authorizationHeader: header }: Record<string, unknown>): string | undefined {
  if (typeof token === "string") return token;
  return typeof header === "string" ? header.replace(/^Bearer /, "") : undefined;
}

/** At the tenant: no assertion arrives after its end. The service tolerates a minute of clock difference. */
function lateAssertions({ world }: SoakInput): Violation[] {
  const { state } = world.tenant;
  const late = state.requests({ endpoint: "token", grantType: "on-behalf-of" }).filter(({ form, atMs }) => {
    const exp = Number(claimsOf(form?.["assertion"] ?? "")["exp"]);
    return atMs / 1_000 > exp + 60;
  });
  state.clearLog();
  return late.map(({ path }) => ({ rule: "no assertion reaches Entra after its end", detail: path }));
}

/** At the end nothing fails: every grant that is not over works, and none that was revoked. */
async function lostGrants(input: SoakInput): Promise<Violation[]> {
  const { ledger } = input;
  const violations: Violation[] = [];
  for (const grant of ledger.grants) {
    const startedAt = ledger.next();
    const answer = await redeem(input, 0, grant);
    const observed = { action: "redeem at the end", owner: grant.owner, grant, startedAt, answer };
    violations.push(...violationsOf(observed, { excused: false, nowSeconds: nowSeconds(input) }));
  }
  return violations.slice(0, VIOLATIONS_MAX);
}
