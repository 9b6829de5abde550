/** For Windows PowerShell 5.1 and PowerShell 7. */
import { hasVariable, joinParts } from "./placeholders.ts";
import type { ToSnippet, Variable } from "./snippet-types.ts";

export const toPowerShell: ToSnippet = ({ method, url, headers, form, json }, variables) => {
  const lines = [
    ...variables.map(toAssignment),
    `$headers = @{ ${Object.entries(headers)
      .map(([name, value]) => `${quoted(titleCase(name))} = ${quoted(value)}`)
      .join("; ")} }`,
    ...(form === undefined ? [] : [`$body = @{\n${toTable(form)}\n}`]),
    ...(json === undefined ? [] : [`$body = ${quoted(JSON.stringify(json))}`]),
    `Invoke-RestMethod -Method ${method} -Uri ${quoted(url)} -Headers $headers${bodyParameters(form, json)}`,
  ];
  return lines.join("\n");
};

// ---------------------------------------------------------------------------------------------------------------

function bodyParameters(form: unknown, json: unknown): string {
  if (json !== undefined) return " -Body $body -ContentType 'application/json'";
  return form === undefined ? "" : " -Body $body";
}

function toTable(form: Readonly<Record<string, string>>): string {
  return Object.entries(form)
    .map(([name, value]) => `  ${name} = ${quoted(value)}`)
    .join("\n");
}

function toAssignment({ name, command, source = "" }: Variable): string {
  return command === undefined ? `# $${name}: ${source}` : `$${name} = ${command}`;
}

function quoted(text: string): string {
  if (!hasVariable(text)) return `'${text.replaceAll("'", "''")}'`;
  const inside = joinParts(
    text,
    (literal) => literal.replaceAll(/["`$]/g, "`$&"),
    (name) => `$(${`$${name}`})`,
  );
  return `"${inside}"`;
}

function titleCase(name: string): string {
  return name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
