import { evaluate } from "../../shared/policy/evaluate.ts";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { type Findings, interleave, median, type Scenario, whole } from "../scenario.ts";

const SIZES = [5, 500, 5_000] as const;
const [FEW, MANY] = [0, 1] as const;

/** Decisions in one measurement. One decision is too short for the clock. */
const DECISIONS = 20_000;

const clientId = (index: number) => `ca11e400-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;

/** Measures how long the service reads a policy at start, and decides about a request, by the number of callers. */
export const policySize: Scenario = {
  name: "policy-size",
  title: "A policy with many callers",
  async run(_world, { rounds, smoke }): Promise<Findings> {
    const texts = SIZES.map(policyText);
    const policies = texts.map(parsed);
    const reads = await interleave(
      rounds,
      texts.map((text) => async () => timed(() => parsed(text))),
    );
    const decisions = await interleave(
      rounds,
      policies.map((policy) => async () => perDecision(policy, smoke ? 100 : DECISIONS)),
    );
    const ratio = median((decisions[MANY] ?? []).map((time, round) => time / (decisions[FEW]?.[round] ?? Number.NaN)));
    return {
      how: `Each caller has an entry of its own; requests are spread over all of them. ${rounds} interleaved rounds of ${whole(DECISIONS)} decisions.`,
      aims: [
        {
          what: "time of a decision with 500 callers, relative to 5 callers",
          aim: "≤ 1.5 times",
          measured: ratio.toFixed(2),
          met: ratio <= 1.5,
        },
      ],
      tables: [
        {
          columns: ["callers", "policy", "read at start", "decision"],
          rows: SIZES.map((size, index) => [
            whole(size),
            `${whole((texts[index]?.length ?? 0) / 1_024)} KB`,
            `${median(reads[index] ?? []).toFixed(2)} ms`,
            `${(median(decisions[index] ?? []) * 1_000).toFixed(2)} µs`,
          ]),
        },
      ],
      plots: [],
    };
  },
};

function policyText(size: number): string {
  const scopes = ["User.Read", "Mail.Read"];
  const callers = Array.from({ length: size }, (_, index) => ({
    name: `caller-${index}`,
    displayName: `Caller ${index} of the benchmark`,
    kind: index % 2 === 0 ? "user" : "application",
    clientId: clientId(index),
    flows: ["on-behalf-of", "refresh-token"],
    apis: { graph: scopes },
    unattended: index % 2 !== 0,
  }));
  return JSON.stringify({ apis: { graph: { resource: "https://graph.microsoft.com", scopes } }, callers });
}

function parsed(text: string): Policy {
  const result = parsePolicy(text);
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.policy;
}

/** In milliseconds. */
function timed(action: () => void): number {
  const started = performance.now();
  action();
  return performance.now() - started;
}

/** Milliseconds for one decision about a user's request. */
function perDecision(policy: Policy, count: number): number {
  const users = policy.callers.filter(({ kind }) => kind === "user");
  const questions = users.map(({ kind, clientId = "" }) => ({
    caller: { kind, clientId, registration: "", roles: [], confidential: true, understandsClaimsChallenge: false },
    flow: "on-behalf-of" as const,
    tokenParameters: {
      ...{ audiences: ["graph"], resources: [], scopes: undefined, offlineAccess: false },
      ...{ claims: undefined, forceRefresh: false, minimumSeconds: 0 },
    },
  }));
  let allowed = 0;
  const time = timed(() => {
    for (let turn = 0; turn < count; turn += 1) {
      const question = questions[turn % questions.length];
      if (question !== undefined && evaluate(policy, question).ok) allowed += 1;
    }
  });
  if (allowed !== count) throw new Error(`${count - allowed} decisions refused a request that the policy allows.`);
  return time / count;
}
