/** What a policy file alone shows to be wrong with it, with positions. Pure. */
import {
  API_WORDS,
  CALLER_WORDS,
  REGISTRATION_WORDS,
  RULE_WORDS,
  type Words,
} from "../../docs/reference/policy-reference.ts";
import { isJsonObject } from "../../shared/core/json-object.ts";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import type { PolicyFinding } from "../../shared/policy/policy-finding.ts";
import { policyFindings } from "../../shared/policy/policy-findings.ts";
import type { Policy, PolicyProblem } from "../../shared/policy/rules.ts";
import type { ReadFile } from "./json-file.ts";
import { type Locate, locator, type Position, positionOf, type Span } from "./positions.ts";
import { escaped, showValue } from "./show.ts";

export interface Finding extends Position {
  readonly severity: "error" | "warning";
  readonly span: Span;
  /** With dots, for example `callers.0.apis.graph.1`. Empty: the whole file. */
  readonly path: string;
  /** Name of the entry in `callers`. */
  readonly entry?: string;
  /** The value as JSON, on one line and at most 80 characters long. */
  readonly value?: string;
  /** What is wrong, and what is right. */
  readonly message: string;
  readonly suggestion?: string;
  /** What the member means. */
  readonly meaning?: string;
  /** What a caller or the administrator sees of it. */
  readonly effect: string;
  readonly remedies?: readonly string[];
}

export interface CheckedPolicy {
  readonly text: string;
  readonly findings: readonly Finding[];
  /** Undefined: the service does not start with this policy. */
  readonly policy: Policy | undefined;
}

export function checkPolicy(file: Exclude<ReadFile, { kind: "unreadable" }>): CheckedPolicy {
  const { text } = file;
  if (file.kind === "mistakes") {
    const findings = file.mistakes.map(({ offset, length, message }) => ({
      ...{ severity: "error" as const, ...positionOf(text, offset), span: { offset, length } },
      ...{ path: "", message, effect: NO_START },
    }));
    return { text, findings, policy: undefined };
  }
  const parsed = parsePolicy(text);
  const reader = createReader(text);
  return "problems" in parsed
    ? {
        text,
        findings: inOrder(causes(parsed.problems).map((problem) => problemFinding(reader, problem))),
        policy: undefined,
      }
    : {
        text,
        findings: inOrder(policyFindings(parsed.policy).map((finding) => toFinding(reader, finding))),
        policy: parsed.policy,
      };
}

// ---------------------------------------------------------------------------------------------------------------

const NO_START = "the service does not start with this policy";

interface Reader {
  readonly text: string;
  readonly locate: Locate;
  /** Name of the entry at this index. */
  readonly nameOf: (index: number) => string | undefined;
}

function createReader(text: string): Reader {
  const data: unknown = JSON.parse(text);
  const callers = isJsonObject(data) && Array.isArray(data["callers"]) ? data["callers"] : [];
  const names = callers.map((entry: unknown) => (isJsonObject(entry) ? entry["name"] : undefined));
  return {
    text,
    locate: locator(text),
    nameOf: (index) => (typeof names[index] === "string" ? escaped(names[index].slice(0, 64)) : undefined),
  };
}

/** Without members that are missing only because their name has a typing error. */
function causes(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  const meant = problems.flatMap(({ path, suggestion, members }) =>
    suggestion === undefined || members === undefined ? [] : [path === "" ? suggestion : `${path}.${suggestion}`],
  );
  return problems.filter(({ path, problem }) => !(problem.startsWith("is missing") && meant.includes(path)));
}

function inOrder(findings: readonly Finding[]): Finding[] {
  return [...findings].sort((one, other) => one.span.offset - other.span.offset);
}

function problemFinding(reader: Reader, { suggestion, ...problem }: PolicyProblem): Finding {
  const meaning = /^(?:must|is missing)/.test(problem.problem) ? meaningOf(problem.path) : undefined;
  return {
    ...toFinding(reader, { severity: "error", effect: NO_START, ...problem }),
    ...(suggestion === undefined ? {} : { suggestion }),
    ...(meaning === undefined ? {} : { meaning }),
  };
}

function toFinding(reader: Reader, { path, members, problem, severity, effect, remedies }: PolicyFinding): Finding {
  const { value, ...span } = reader.locate(path, members);
  const entry = entryOf(reader, path);
  const shown = value === undefined ? undefined : showValue(value);
  const isElement = /\.\d+$/.test(path) && members === undefined && shown !== undefined;
  const subject = subjectOf(path, isElement ? shown : undefined, entry);
  const message = [...subject, escaped(withNames(reader, problem))].join(" ");
  return {
    ...{ severity, ...positionOf(reader.text, span.offset), span, path },
    ...(entry === undefined ? {} : { entry }),
    ...(shown === undefined ? {} : { value: shown }),
    ...{ message, effect },
    ...(remedies === undefined ? {} : { remedies }),
  };
}

function entryOf({ nameOf }: Reader, path: string): string | undefined {
  const [, index] = /^callers\.(\d+)/.exec(path) ?? [];
  return index === undefined ? undefined : nameOf(Number(index));
}

/** What the message is about: the value itself if it is in a list, otherwise its path, after the name of its entry. */
function subjectOf(path: string, shown: string | undefined, entry: string | undefined): string[] {
  const inEntry = escaped(path.replace(/^callers\.\d+\.?/, ""));
  const who = entry === undefined ? "" : `entry ${entry}`;
  if (inEntry === "") return [path === "" ? "the policy" : who || "the entry"];
  const about = shown === undefined ? inEntry : `${shown} in ${inEntry.replace(/\.\d+$/, "")}`;
  return who === "" ? [about] : [`${who}:`, about];
}

/** `callers.3` in a text becomes the name of that entry and its line. */
function withNames({ text, locate, nameOf }: Reader, problem: string): string {
  return problem.replaceAll(/\bcallers\.(\d+)\b/g, (path, index: string) => {
    const { line } = positionOf(text, locate(path).offset);
    const name = nameOf(Number(index));
    return name === undefined ? `the entry in line ${line}` : `${name} (line ${line})`;
  });
}

function meaningOf(path: string): string | undefined {
  const [, ruleMember] = /^callers\.\d+\.downstream\..+\.\d+\.(methods|path|query)(?:\.\d+)?$/.exec(path) ?? [];
  const [top = "", , member = ""] = ruleMember === undefined ? path.split(".") : ["rules", "", ruleMember];
  const words: Readonly<Record<string, Readonly<Record<string, Words>>>> = {
    apis: API_WORDS,
    registrations: REGISTRATION_WORDS,
    callers: CALLER_WORDS,
    rules: RULE_WORDS,
  };
  const found = Object.hasOwn(words, top) ? words[top] : undefined;
  const word = found !== undefined && Object.hasOwn(found, member) ? found[member] : undefined;
  return word === undefined ? undefined : `${word.meaning} Example: ${JSON.stringify(word.example)}`;
}
