/** With Python's standard library only. */
import { hasVariable, joinParts } from "./placeholders.ts";
import type { ToSnippet, Variable } from "./snippet-types.ts";

export const toPython: ToSnippet = ({ method, url, headers, form, json }, variables) => {
  const allHeaders = { ...headers, ...(json === undefined ? {} : { "Content-Type": "application/json" }) };
  const data = dataOf(form, json);
  return [
    "import json, os, urllib.error, urllib.parse, urllib.request",
    "",
    ...variables.map(toAssignment),
    "request = urllib.request.Request(",
    `    ${literal(url)},`,
    `    method=${literal(method)},`,
    `    headers=${literalOf(allHeaders)},`,
    ...(data === undefined ? [] : [`    data=${data},`]),
    ")",
    "try:",
    "    with urllib.request.urlopen(request) as answer:",
    "        print(answer.status, answer.read().decode())",
    "except urllib.error.HTTPError as refusal:",
    "    print(refusal.code, refusal.read().decode())",
  ].join("\n");
};

// ---------------------------------------------------------------------------------------------------------------

function dataOf(form: unknown, json: unknown): string | undefined {
  if (json !== undefined) return `json.dumps(${literalOf(json)}).encode()`;
  return form === undefined ? undefined : `urllib.parse.urlencode(${literalOf(form)}).encode()`;
}

function toAssignment({ name, command, source = "" }: Variable): string {
  return `${name} = os.environ["${name}"]  # ${command ?? source}`;
}

function literalOf(value: unknown): string {
  if (typeof value === "string") return literal(value);
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(literalOf).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).map(([name, member]) => `${literal(name)}: ${literalOf(member)}`);
    return `{${members.join(", ")}}`;
  }
  return value === null ? "None" : String(value);
}

/** A JSON string is a Python string too. */
function literal(text: string): string {
  if (!hasVariable(text)) return JSON.stringify(text);
  const inside = joinParts(
    text,
    (same) => JSON.stringify(same).slice(1, -1).replaceAll(/[{}]/g, "$&$&"),
    (name) => `{${name}}`,
  );
  return `f"${inside}"`;
}
