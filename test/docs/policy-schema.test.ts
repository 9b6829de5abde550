/** The JSON Schemas of the policy and of its test cases say what the code says. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { casesJsonSchema, type JsonSchema, policyJsonSchema } from "../../docs/reference/policy-schema.ts";
import { root } from "./support/markdown.ts";

describe.each([
  ["docs/policy.schema.json", policyJsonSchema()],
  ["docs/policy-cases.schema.json", casesJsonSchema()],
])("%s", (path, schema) => {
  test("is what the code writes (UPDATE_DOCS=1 writes it again)", () => {
    const file = join(root, path);
    const text = `${JSON.stringify(schema, undefined, 2)}\n`;
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, text);
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  test("is a schema of draft 2020-12 with an id, and allows no unknown member of any object", () => {
    expect(schema["$schema"]).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(schema["$id"]).toMatch(/^urn:graph-token-exchange:/);
    const open = objectsOf(schema).filter(({ properties, additionalProperties }) =>
      properties === undefined ? additionalProperties === undefined : additionalProperties !== false,
    );
    expect(open).toEqual([]);
  });

  test("has patterns that JSON Schema's regular expressions can have", () => {
    for (const pattern of patternsOf(schema)) expect(() => new RegExp(pattern, "u")).not.toThrow();
  });
});

describe("docs/policy.schema.json", () => {
  const members = (name: string) => {
    const { additionalProperties, items } = policyJsonSchema().properties?.[name] ?? {};
    return Object.entries((additionalProperties || items)?.properties ?? {});
  };

  test.each(["apis", "registrations", "callers"])("describes every member of %s and has an example of it", (name) => {
    expect(members(name).length).toBeGreaterThan(2);
    for (const [member, schema] of members(name)) {
      expect([member, schema]).toEqual([
        member,
        expect.objectContaining({ description: expect.stringMatching(/\w/), examples: [expect.anything()] }),
      ]);
    }
  });

  test("accepts GUIDs in upper case, as the service does", () => {
    const [, clientId] = members("callers").find(([name]) => name === "clientId") ?? [];
    expect("CA11E400-0000-4000-8000-00000000000A").toMatch(new RegExp(String(clientId?.["pattern"]), "u"));
    expect("CA11E400-0000-4000-8000-00000000000").not.toMatch(new RegExp(String(clientId?.["pattern"]), "u"));
  });
});

function objectsOf(schema: unknown): JsonSchema[] {
  if (typeof schema !== "object" || schema === null) return [];
  const inner = Object.entries(schema).flatMap(([name, value]) => (name === "examples" ? [] : objectsOf(value)));
  return (schema as JsonSchema)["type"] === "object" ? [schema as JsonSchema, ...inner] : inner;
}

function patternsOf(schema: JsonSchema): string[] {
  return [...JSON.stringify(schema).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(([, text]) =>
    String(JSON.parse(text ?? '""')),
  );
}
