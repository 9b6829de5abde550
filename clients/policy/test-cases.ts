/** `policy test <file> <cases>`: runs the administrator's own cases, for a pipeline. */
import { isJsonObject, type JsonObject } from "../../shared/core/json-object.ts";
import { issueProblems } from "../../shared/policy/issue-problems.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { type Answer, ask, describeMember, describeRefusal } from "./ask.ts";
import { caseSchema, casesSchema, type PolicyCase } from "./case-schema.ts";
import { POLICY_EXIT } from "./exit-codes.ts";
import { readJsonFile } from "./json-file.ts";
import type { PolicyCommand } from "./policy-command.ts";
import { FileProblem, requireOperands, UsageError } from "./policy-command-line.ts";
import { locator, positionOf } from "./positions.ts";
import { readPolicy } from "./read-policy.ts";
import { escaped } from "./show.ts";

export const testCases: PolicyCommand = ({ operands, options, terminal }) => {
  const [path, casesPath] = requireOperands("test", operands, ["file", "cases"]);
  const read = readPolicy(path, terminal);
  if (read === undefined) return POLICY_EXIT.errors;
  const { at, cases } = readCases(casesPath);
  const results = cases.map((one) => runCase(read.policy, one, at));
  const failed = results.filter(({ passed }) => !passed);
  if (options.json === true) {
    terminal.out(`${JSON.stringify({ passed: failed.length === 0, cases: results }, undefined, 2)}\n`);
  } else {
    terminal.out(`${[...results.flatMap(format), "", summary(results.length, failed.length)].join("\n")}\n`);
  }
  return failed.length === 0 ? POLICY_EXIT.ok : POLICY_EXIT.errors;
};

// ---------------------------------------------------------------------------------------------------------------

interface CaseResult {
  readonly name: string;
  readonly line: number;
  readonly passed: boolean;
  readonly expected: string;
  readonly actual: string;
}

/** A case as the file has it: the question must not have the defaults of the schema. */
interface WrittenCase {
  readonly checked: PolicyCase;
  readonly question: JsonObject;
  /** In UTF-16 code units from the start of the file. */
  readonly offset: number;
  readonly line: number;
}

/** A message with its place in the file of cases. */
type At = (offset: number, message: string) => string;

function readCases(path: string): { readonly at: At; readonly cases: readonly WrittenCase[] } {
  const file = readJsonFile(path);
  if (file.kind === "unreadable") throw new FileProblem(file.problem);
  const { text } = file;
  const at: At = (offset, message) => {
    const { line, column } = positionOf(text, offset);
    return `${path}:${line}:${column}: error: ${escaped(message)}`;
  };
  if (file.kind === "mistakes") {
    throw new FileProblem(file.mistakes.map(({ offset, message }) => at(offset, message)).join("\n"));
  }
  const data: unknown = JSON.parse(text);
  const parsed = casesSchema.safeParse(data);
  const locate = locator(text);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => issueProblems(issue, data, membersAt));
    const lines = problems.map(({ path: where, members, problem }) =>
      at(locate(where, members).offset, `${where === "" ? "the file" : where} ${problem}`),
    );
    throw new FileProblem(lines.join("\n"));
  }
  const written = isJsonObject(data) && Array.isArray(data["cases"]) ? data["cases"] : [];
  const cases = parsed.data.cases.map((checked, index) => {
    const { name: _, expect: __, ...question } = written[index] as JsonObject;
    const { offset } = locate(`cases.${index}`);
    return { checked, question, offset, line: positionOf(text, offset).line };
  });
  return { at, cases };
}

function membersAt([, , inner]: readonly PropertyKey[]): readonly string[] {
  return inner === undefined ? Object.keys(caseSchema.shape) : [];
}

function runCase(policy: Policy, { checked, question, offset, line }: WrittenCase, at: At): CaseResult {
  const name = checked.name ?? nameOf(checked);
  const answer = askOrExplain(policy, question, (problem) => at(offset, `case ${JSON.stringify(name)}: ${problem}`));
  return {
    name: escaped(name),
    line,
    passed: meets(answer, checked.expect),
    expected: describeExpectation(checked.expect),
    actual: describeAnswer(answer),
  };
}

function askOrExplain(policy: Policy, question: JsonObject, place: (problem: string) => string): Answer {
  try {
    return ask(policy, question, describeMember);
  } catch (error) {
    throw error instanceof UsageError ? new FileProblem(place(error.message)) : error;
  }
}

function nameOf({ caller, flow, api, scopes }: PolicyCase): string {
  const who = typeof caller === "string" ? caller : `${caller.kind} ${caller.clientId}`;
  return [who, flow, api ?? "", ...(scopes ?? [])].filter((word) => word !== "").join(" ");
}

function meets(answer: Answer, expected: PolicyCase["expect"]): boolean {
  if ("refused" in expected) return !answer.allowed && answer.reason === expected.refused;
  if (!answer.allowed) return false;
  return expected.allowed === true || [...expected.allowed].sort().join(" ") === [...answer.scopes].sort().join(" ");
}

function describeExpectation(expected: PolicyCase["expect"]): string {
  if ("refused" in expected) return `refused: ${expected.refused}`;
  return expected.allowed === true ? "allowed" : `allowed: ${escaped([...expected.allowed].sort().join(" "))}`;
}

function describeAnswer(answer: Answer): string {
  return answer.allowed ? `allowed: ${answer.scopes.join(" ")}` : `refused: ${describeRefusal(answer)}`;
}

function format({ name, line, passed, expected, actual }: CaseResult): string[] {
  if (passed) return [`ok      ${name}`];
  return [`FAILED  ${name} (line ${line})`, `          expected  ${expected}`, `          actual    ${actual}`];
}

function summary(all: number, failed: number): string {
  return failed === 0 ? `${all} ${all === 1 ? "case" : "cases"} passed` : `${failed} of ${all} cases failed`;
}
