/** A program of top-level statements, .NET 8 or newer. */
import { hasVariable, joinParts } from "./placeholders.ts";
import type { ToSnippet, Variable } from "./snippet-types.ts";

export const toCSharp: ToSnippet = ({ method, url, headers, form, json }, variables) =>
  [
    "using System.Text;",
    "",
    ...variables.map(toAssignment),
    "using var http = new HttpClient();",
    `using var request = new HttpRequestMessage(HttpMethod.${method.charAt(0)}${method.slice(1).toLowerCase()}, ${literal(url)});`,
    ...Object.entries(headers).map(
      ([name, value]) => `request.Headers.TryAddWithoutValidation(${literal(titleCase(name))}, ${literal(value)});`,
    ),
    ...contentOf(form, json),
    "using var answer = await http.SendAsync(request);",
    'Console.WriteLine($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");',
  ].join("\n");

// ---------------------------------------------------------------------------------------------------------------

/** Never a chunked body, which Azure Functions does not pass on. */
function contentOf(form: Readonly<Record<string, string>> | undefined, json: unknown): readonly string[] {
  if (json !== undefined) {
    return [`request.Content = new StringContent(${raw(JSON.stringify(json))}, Encoding.UTF8, "application/json");`];
  }
  if (form === undefined) return [];
  const pairs = Object.entries(form).map(([name, value]) => `    [${literal(name)}] = ${literal(value)},`);
  return ["request.Content = new FormUrlEncodedContent(new Dictionary<string, string>", "{", ...pairs, "});"];
}

function toAssignment({ name, command, source = "" }: Variable): string {
  return `var ${name} = Environment.GetEnvironmentVariable("${name}"); // ${command ?? source}`;
}

function literal(text: string): string {
  if (!hasVariable(text)) return JSON.stringify(text);
  const inside = joinParts(
    text,
    (same) => JSON.stringify(same).slice(1, -1).replaceAll(/[{}]/g, "$&$&"),
    (name) => `{${name}}`,
  );
  return `$"${inside}"`;
}

/** A raw string, in which JSON needs no escapes. */
function raw(text: string): string {
  if (!hasVariable(text)) return `"""${text}"""`;
  const inside = joinParts(
    text,
    (same) => same,
    (name) => `{{{${name}}}}`,
  );
  return `$$$"""${inside}"""`;
}

function titleCase(name: string): string {
  return name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase());
}
