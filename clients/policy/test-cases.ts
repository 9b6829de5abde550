/** `policy test <file> <cases>`: runs the administrator's own cases, for a pipeline. */
import { isJsonObject, type JsonObject } from "../../shared/core/json-object.ts";
import { issueProblems } from "../../shared/policy/issue-problems.ts";
import type { Policy } from "../../shared/policy/rules.ts";
import { type Answer, ask, describeRefusal } from "./ask.ts";
import { caseSchema, casesSchema, type PolicyCase } from "./case-schema.ts";
import { POLICY_EXIT } from "./exit-codes.ts";
import { readJsonFile } from "./json-file.ts";
import type { PolicyCommand } from "./policy-command.ts";
import { requireOperands, UsageError } from "./policy-command-line.ts";
import { locator, positionOf } from "./positions.ts";
import { readPolicy } from "./read-policy.ts";
import { escaped } from "./show.ts";

export const testCases: PolicyCommand = ({ operands, options, terminal }) => {
  const [path, casesPath] = requireOperands("test", operands, ["file", "cases"]);
  const read = readPolicy(path, terminal);
  if (read === undefined) return POLICY_EXIT.errors;
  const results = readCases(casesPath).map((one) => runCase(read.policy, one));
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
  readonly line: number;
}

function readCases(path: string): WrittenCase[] {
  const file = readJsonFile(path);
  if (file.kind === "unreadable") throw new UsageError(file.problem);
  const { text } = file;
  if (file.kind === "mistakes") {
    throw new UsageError(file.mistakes.map(({ offset, message }) => at(path, text, offset, message)).join("\n"));
  }
  const data: unknown = JSON.parse(text);
  const parsed = casesSchema.safeParse(data);
  const locate = locator(text);
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) => issueProblems(issue, data, membersAt));
    const lines = problems.map(({ path: where, members, problem }) =>
      at(path, text, locate(where, members).offset, `${where === "" ? "the file" : where} ${problem}`),
    );
    throw new UsageError(lines.join("\n"));
  }
  const written = isJsonObject(data) && Array.isArray(data["cases"]) ? data["cases"] : [];
  return parsed.data.cases.map((checked, index) => {
    const { name: _, expect: __, ...question } = written[index] as JsonObject;
    return { checked, question, line: positionOf(text, locate(`cases.${index}`).offset).line };
  });
}

function membersAt([, , inner]: readonly PropertyKey[]): readonly string[] {
  return inner === undefined ? Object.keys(caseSchema.shape) : [];
}

function at(path: string, text: string, offset: number, message: string): string {
  const { line, column } = positionOf(text, offset);
  return `${path}:${line}:${column}: error: ${escaped(message)}`;
}

function runCase(policy: Policy, { checked, question, line }: WrittenCase): CaseResult {
  const answer = ask(policy, question);
  return {
    name: escaped(checked.name ?? nameOf(checked)),
    line,
    passed: meets(answer, checked.expect),
    expected: describeExpectation(checked.expect),
    actual: describeAnswer(answer),
  };
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
