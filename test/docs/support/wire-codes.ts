/**
 * Every stable code that the service can answer, with its statuses and actions, computed by the one translation of
 * failures. The kinds are listed here, so that a new kind does not compile until it is added. The finer reasons are read
 * from the source, because types do not exist at run time.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEPENDENCY_PROBLEMS } from "../../../shared/core/dependency.ts";
import type {
  EntraEvidence,
  EntraVerdict,
  Failure,
  PolicyRefusal,
  RequestProblem,
} from "../../../shared/core/failure.ts";
import { TOKEN_REFUSALS, type TokenRefusal } from "../../../shared/core/token-refusal.ts";
import type { CodeClass } from "../../../shared/entra/aadsts.ts";
import { failureToWire } from "../../../shared/http/failure-to-wire.ts";
import type { Dialect } from "../../../shared/http/wire.ts";
import { root } from "./markdown.ts";

export interface CodeFacts {
  /** Ascending. */
  readonly statuses: readonly number[];
  readonly actions: readonly string[];
}

type Examples = { readonly [K in Failure["kind"]]: readonly Omit<Extract<Failure, { kind: K }>, "kind">[] };

const DIALECTS: readonly Dialect[] = ["oauth", "problem"];
/** The service also refuses a sign-in on a page. */
const SIGN_IN_DIALECTS: readonly Dialect[] = [...DIALECTS, "page"];

const TOKEN_REASONS = Object.keys(TOKEN_REFUSALS) as TokenRefusal[];

const NO_EVIDENCE: EntraEvidence = {
  codes: [],
  suberror: undefined,
  claims: undefined,
  traceId: undefined,
  correlationId: undefined,
};

/** `only`: what the service can answer in this dialect. */
export function wireCodes(only?: Dialect): ReadonlyMap<string, CodeFacts> {
  const found = new Map<string, { statuses: Set<number>; actions: Set<string> }>();
  for (const failure of allFailures()) {
    const dialects = failure.kind === "sign_in_refused" ? SIGN_IN_DIALECTS : DIALECTS;
    for (const dialect of only === undefined ? dialects : [only]) {
      for (const understandsChallenge of [true, false]) {
        const { code, status, action } = failureToWire(failure, { dialect, understandsChallenge });
        const facts = found.get(code) ?? { statuses: new Set(), actions: new Set() };
        facts.statuses.add(status);
        facts.actions.add(action);
        found.set(code, facts);
      }
    }
  }
  return new Map(
    [...found].map(([code, { statuses, actions }]) => [
      code,
      { statuses: [...statuses].sort((a, b) => a - b), actions: [...actions].sort() },
    ]),
  );
}

/** The code that the service answers for an AADSTS number of this class. */
export function codeOfClass(found: CodeClass): string {
  return failureToWire(failureOfClass(found), { dialect: "oauth", understandsChallenge: true }).code;
}

function failureOfClass(found: CodeClass): Failure {
  switch (found) {
    case "throttled":
      return { kind: "throttled", retryAfterSeconds: 1 };
    case "unavailable":
      return { kind: "dependency_failed", dependency: "entra", problem: "unavailable" };
    default:
      return { kind: "entra_refused", verdict: found, evidence: NO_EVIDENCE, scopes: [] };
  }
}

function allFailures(): Failure[] {
  return Object.entries(examples()).flatMap(([kind, list]) => list.map((rest) => ({ kind, ...rest }) as Failure));
}

function examples(): Examples {
  const problems = union("RequestProblem") as RequestProblem[];
  const refusals = union("PolicyRefusal") as PolicyRefusal[];
  return {
    not_found: [{}],
    method_not_allowed: [{ allow: ["GET"] }],
    media_type_unsupported: [{ expected: "x" }],
    request_too_large: [{ limitBytes: 1 }],
    request_invalid: problems.map((problem) => ({ problem })),
    grant_type_unsupported: [{ requested: "password" }, { requested: "other" }],
    token_type_unsupported: [{}],
    caller_missing: [{}],
    caller_refused: TOKEN_REASONS.map((reason) => ({ reason })),
    client_refused: (["entra", "audience", "expired"] as const).flatMap((reason) =>
      (["client_secret", "client_assertion"] as const).map((method) => ({ method, reason })),
    ),
    client_budget_used_up: [{ retryAfterSeconds: 1 }],
    actor_refused: [...TOKEN_REASONS, "not_listed" as const].map((reason) => ({ reason })),
    subject_refused: [
      ...TOKEN_REASONS,
      "not_a_user" as const,
      "not_the_caller" as const,
      "other_registration" as const,
    ].flatMap((reason) => (["subject_token", "assertion"] as const).map((presentedAs) => ({ reason, presentedAs }))),
    policy_refused: refusals.map((reason) => ({ reason })),
    scope_surplus: [{ entry: "x", api: "graph", surplus: ["y"] }],
    grant_refused: [
      { reason: "unknown" },
      { reason: "expired" },
      { reason: "revoked" },
      { reason: "pending" },
      { reason: "limit_reached" },
      { reason: "other_registration" },
      { reason: "verifier_missing" },
      { reason: "verifier_wrong" },
    ],
    entra_refused: entraRefusals(),
    code_refused: union("CodeRefusal").map((reason) => ({ reason })) as Examples["code_refused"],
    sign_in_refused: union("SignInRefusal").map((reason) => ({ reason })) as Examples["sign_in_refused"],
    overloaded: [{ retryAfterSeconds: 1 }],
    too_many_requests: [{ quota: { name: "at-once", limit: 1 }, retryAfterSeconds: 1 }],
    budget_used_up: [{ retryAfterSeconds: 1 }],
    throttled: [{ retryAfterSeconds: 1 }],
    dependency_failed: dependencyFailures(),
    misconfigured: misconfigurations().map((code) => ({ code })),
    deadline_passed: [{}],
    internal: [{}],
  };
}

function entraRefusals(): Examples["entra_refused"] {
  const verdicts = union("EntraVerdict") as EntraVerdict[];
  return verdicts.flatMap((verdict) =>
    [NO_EVIDENCE, { ...NO_EVIDENCE, claims: "{}" }].flatMap((evidence) => [
      { verdict, evidence, scopes: [] },
      // An application's grant, for which a person has to sign in.
      { verdict, evidence, scopes: [], signIn: { url: undefined } },
      ...(verdict === "credential_refused" ? [{ verdict, evidence, scopes: [], retryAfterSeconds: 1 }] : []),
    ]),
  );
}

function dependencyFailures(): Examples["dependency_failed"] {
  const failures = Object.entries(DEPENDENCY_PROBLEMS).flatMap(([dependency, problems]) =>
    problems.map((problem) => ({ dependency, problem })),
  );
  return failures as unknown as Examples["dependency_failed"];
}

/** Literal codes in the source, and the kinds of `CredentialFailure` that the composition passes on as codes. */
function misconfigurations(): string[] {
  const sources = globSync(["shared/**/*.ts", "functions/**/*.ts"], { cwd: root }).map(read);
  const literal = sources.flatMap((text) =>
    [...text.matchAll(/kind: "misconfigured", code: "(\w+)"/g)].map(([, code]) => code ?? ""),
  );
  const path = "shared/credential/client-credential.ts";
  const credential = block(path, "CredentialFailure").filter(
    (kind) => kind !== "credential_unavailable" && kind !== "credential_unusable",
  );
  const certificate = membersOf(path, "CredentialProblem");
  return [...new Set([...literal, ...credential, ...certificate, "client_secret_malformed"])];
}

/** The members of a union of texts in shared/core/failure.ts. */
function union(name: string): string[] {
  return membersOf("shared/core/failure.ts", name);
}

function membersOf(path: string, name: string): string[] {
  const text = declaration(read(path), name);
  return [...withoutComments(text).matchAll(/"(\w+)"/g)].map(([, member]) => member ?? "");
}

function block(path: string, name: string): string[] {
  return [...declaration(read(path), name).matchAll(/kind: "(\w+)"/g)].map(([, kind]) => kind ?? "");
}

/** From `type Name =` to the semicolon at the end of a line that is not inside braces. */
function declaration(text: string, name: string): string {
  const found = new RegExp(`^export type ${name} =[\\s\\S]*?(?:"|\\}|\\w);$(?!\\n\\s+(?:readonly|\\}))`, "m").exec(
    text,
  );
  if (found === null) throw new Error(`The type ${name} was not found.`);
  return found[0];
}

const withoutComments = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/\/\/.*$/gm, "");

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}
