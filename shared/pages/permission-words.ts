/**
 * What scopes allow, in words: the policy's own, else those for Graph. `permission-words/` has the words in each language:
 * Microsoft's in English, this project's in German. Each file is a lazy chunk of the bundle. A scope without words in the
 * language is shown by name only.
 */
import { isGraph } from "../core/graph-resource.ts";
import type { Language } from "./language.ts";

export interface DescribedApi {
  readonly resource: string;
  /** The policy's own words. */
  readonly scopeDescriptions: Readonly<Record<string, string>>;
}

/** A scope as a page shows it. */
export interface ShownScope {
  readonly name: string;
  /** Undefined: there are no words for it. */
  readonly words: string | undefined;
}

export type PermissionWords = (api: DescribedApi, scopes: readonly string[]) => readonly ShownScope[];

/** Reads the words for Graph only if one of the APIs is Graph. */
export async function loadPermissionWords(language: Language, apis: readonly DescribedApi[]): Promise<PermissionWords> {
  const graph = apis.some(({ resource }) => isGraph(resource)) ? await GRAPH_WORDS[language]() : {};
  return ({ resource, scopeDescriptions }, scopes) =>
    scopes.map((name) => ({
      name,
      words: wordsOf(scopeDescriptions, name) ?? (isGraph(resource) ? wordsOf(graph, name) : undefined),
    }));
}

// ------------------------------------------------------------------------------------------------------------------

type Words = Readonly<Record<string, string>>;

const GRAPH_WORDS: Readonly<Record<Language, () => Promise<Words>>> = {
  en: async () => (await import("./permission-words/graph-en.json", { with: { type: "json" } })).default.words,
  de: async () => (await import("./permission-words/graph-de.json", { with: { type: "json" } })).default.words,
};

/** Entra compares the scopes of Graph without case (E-51), and a policy may spell them so. */
function wordsOf(words: Words, scope: string): string | undefined {
  if (Object.hasOwn(words, scope)) return words[scope];
  const name = Object.keys(words).find((one) => one.toLowerCase() === scope.toLowerCase());
  return name === undefined ? undefined : words[name];
}
