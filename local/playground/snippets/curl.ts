import { hasVariable, joinParts } from "./placeholders.ts";
import type { ToSnippet, Variable } from "./snippet-types.ts";

export const toCurl: ToSnippet = ({ method, url, headers, form, json }, variables) => {
  const body = json !== undefined || form !== undefined;
  const lines = [
    `curl -s ${method === (body ? "POST" : "GET") ? "" : `-X ${method} `}${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${titleCase(name)}: ${value}`)}`),
    ...(json === undefined ? [] : ["-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(json))}`]),
    ...Object.entries(form ?? {}).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`),
  ];
  return [...variables.map(toAssignment), lines.join(" \\\n  ")].join("\n");
};

// ---------------------------------------------------------------------------------------------------------------

function toAssignment({ name, command, source = "" }: Variable): string {
  return command === undefined ? `# ${name}: ${source}` : `${name}=$(${command})`;
}

function quoted(text: string): string {
  if (!hasVariable(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const inside = joinParts(
    text,
    (literal) => literal.replaceAll(/["\\$`]/g, "\\$&"),
    (name) => `$${name}`,
  );
  return `"${inside}"`;
}

function titleCase(name: string): string {
  return name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
