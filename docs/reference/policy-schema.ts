/**
 * JSON Schemas for editors: of the policy, made from the schema of the service and the words of the reference, and of the
 * cases of `policy test`. Pure; not part of the running service.
 */
import * as z from "zod/mini";
import { casesSchema } from "../../clients/policy/case-schema.ts";
import { policySchema } from "../../shared/policy/rules.ts";
import { API_WORDS, CALLER_WORDS, REGISTRATION_WORDS, RULE_WORDS, type Words } from "./policy-reference.ts";

/** A JSON Schema, draft 2020-12, as far as zod writes it. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | false;
}

const TOP_WORDS: Readonly<Record<string, string>> = {
  $schema: "Where editors find this schema. The service ignores it.",
  apis: "APIs by name, usually with `graph`.",
  registrations: "Further app registrations of the deployment, by name.",
  grantsNotBefore:
    "A time in UTC. From this time on, grants that were allowed until then are refused, whatever their entry says.",
  callers: "One entry for each caller. The service refuses what no entry allows.",
};

export function policyJsonSchema(): JsonSchema {
  const { $schema, properties = {}, ...schema } = toJsonSchema(policySchema);
  const described = Object.fromEntries(
    Object.entries(properties).map(([name, member]) => [name, { description: TOP_WORDS[name], ...member }]),
  );
  return {
    $schema,
    $id: "urn:graph-token-exchange:policy",
    title: "Policy of Graph Token Exchange",
    ...schema,
    properties: {
      ...described,
      ...wordsOfRecord(described, "apis", API_WORDS),
      ...wordsOfRecord(described, "registrations", REGISTRATION_WORDS),
      ...wordsOfCallers(described),
    },
  };
}

export function casesJsonSchema(): JsonSchema {
  const { $schema, ...schema } = toJsonSchema(casesSchema);
  return { $schema, $id: "urn:graph-token-exchange:policy-cases", title: "Cases of policy test", ...schema };
}

// ---------------------------------------------------------------------------------------------------------------

type Members = Readonly<Record<string, JsonSchema>>;
type WordList = Readonly<Record<string, Words>>;

function toJsonSchema(schema: z.core.$ZodType): JsonSchema {
  // The service fills in what is missing and changes GUIDs to lower case: a person writes the input.
  const text = JSON.stringify(z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }));
  // JSON Schema has no flags. The service ignores the case of GUIDs and of the scheme of a resource.
  const anyCase = text
    .replaceAll("[0-9a-f]", "[0-9a-fA-F]")
    .replaceAll("^[a-z][a-z0-9+.-]*", "^[a-zA-Z][a-zA-Z0-9+.-]*");
  return JSON.parse(anyCase) as JsonSchema;
}

function wordsOfRecord(members: Members, name: string, words: WordList): Members {
  const member = members[name] ?? {};
  return { [name]: { ...member, additionalProperties: withWords(member.additionalProperties || {}, words) } };
}

function wordsOfCallers({ callers = {} }: Members): Members {
  const entry = withWords(callers.items ?? {}, CALLER_WORDS);
  const { downstream = {} } = entry.properties ?? {};
  const rules = downstream.additionalProperties || {};
  const described = { ...rules, items: withWords(rules.items ?? {}, RULE_WORDS) };
  const properties = { ...entry.properties, downstream: { ...downstream, additionalProperties: described } };
  return { callers: { ...callers, items: { ...entry, properties } } };
}

function withWords(schema: JsonSchema, words: WordList): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, member]) => {
    const { meaning, example } = words[name] ?? {};
    return [name, { description: meaning, ...member, examples: [example] }];
  });
  return { ...schema, properties: Object.fromEntries(properties) };
}
