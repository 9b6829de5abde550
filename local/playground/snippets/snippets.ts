/**
 * The same request in four languages. A flow sends the request from which these are made, so what the page shows is what
 * was sent. Values that a reader must not paste into a script are placeholders `{{NAME}}`: variables of the snippet.
 */
import { toCSharp } from "./csharp.ts";
import { toCurl } from "./curl.ts";
import { toPowerShell } from "./powershell.ts";
import { toPython } from "./python.ts";
import type { ShownSnippet, SnippetRequest, ToSnippet, Variable } from "./snippet-types.ts";

export function toSnippets(request: SnippetRequest, variables: readonly Variable[]): readonly ShownSnippet[] {
  const used = variables.filter(({ name }) => JSON.stringify(request).includes(`{{${name}}}`));
  return LANGUAGES.map(({ language, title, write }) => ({ language, title, code: write(request, used) }));
}

// ---------------------------------------------------------------------------------------------------------------

const LANGUAGES: readonly Omit<ShownSnippet & { write: ToSnippet }, "code">[] = [
  { language: "curl", title: "curl", write: toCurl },
  { language: "powershell", title: "PowerShell", write: toPowerShell },
  { language: "csharp", title: "C#", write: toCSharp },
  { language: "python", title: "Python", write: toPython },
];
