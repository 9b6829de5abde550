/** The Bicep type of the policy matches the schema of the service. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { type JsonSchema, policyJsonSchema } from "../../docs/reference/policy-schema.ts";
import { policySchema } from "../../shared/policy/rules.ts";
import { describeWithBicep, openBicepWorkspace } from "./support/compiler.ts";
import { deployMain, exampleParameters, refusalsOfMain, settingsOf } from "./support/scenarios.ts";

/** A type as the compiler writes it into a template. */
interface Definition {
  readonly $ref?: string;
  readonly type?: string;
  readonly allowedValues?: readonly unknown[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minValue?: number;
  readonly maxValue?: number;
  readonly nullable?: boolean;
  readonly items?: Definition;
  readonly properties?: Readonly<Record<string, Definition>>;
  readonly additionalProperties?: Definition | false;
}

type Definitions = Readonly<Record<string, Definition>>;

async function definitionsOf(): Promise<Definitions> {
  const { bicep, infra } = openBicepWorkspace();
  const { contents } = await bicep.compile(join(infra, "types/policy.bicep"));
  return (JSON.parse(contents ?? "") as { definitions: Definitions }).definitions;
}

async function membersOf(...names: readonly string[]): Promise<string[][]> {
  const definitions = await definitionsOf();
  return names.map((name) => Object.keys(definitions[name]?.properties ?? {}).sort());
}

/** Every difference of a Bicep type from the JSON Schema of the same value, in words. */
function differences(definitions: Definitions, path: string, written: Definition, schema: JsonSchema): string[] {
  const bicep = resolveReference(definitions, written);
  const found = (what: string, ofBicep: unknown, ofSchema: unknown) =>
    JSON.stringify(ofBicep) === JSON.stringify(ofSchema)
      ? []
      : [`${path} ${what}: Bicep ${JSON.stringify(ofBicep)}, schema ${JSON.stringify(ofSchema)}`];
  const { items, properties, additionalProperties } = schema;
  const isList = schema["type"] === "array";
  return [
    ...found("type", typeOf(bicep), schema["type"]),
    ...found("values", sortedValues(bicep.allowedValues), sortedValues(schema["enum"])),
    ...found("smallest number", bicep.minValue, schema["minimum"]),
    ...found("greatest number", bicep.maxValue, schema["maximum"]),
    // A pattern of the schema can imply a length that Bicep states.
    ...(isList ? found("shortest list", bicep.minLength, schema["minItems"]) : []),
    ...(schema["minLength"] === undefined ? [] : found("shortest text", bicep.minLength, schema["minLength"])),
    ...(schema["maxLength"] === undefined ? [] : found("longest text", bicep.maxLength, schema["maxLength"])),
    ...(items === undefined ? [] : differences(definitions, `${path}[]`, bicep.items ?? {}, items)),
    ...(additionalProperties === undefined || additionalProperties === false
      ? []
      : differences(definitions, `${path}.*`, bicep.additionalProperties || {}, additionalProperties)),
    ...Object.entries(properties ?? {}).flatMap(([name, member]) => {
      const inner = bicep.properties?.[name];
      if (inner === undefined) return [`${path}.${name}: missing in Bicep`];
      const required = (schema["required"] as readonly string[] | undefined)?.includes(name) ?? false;
      return [
        ...found(`${name} required`, resolveReference(definitions, inner).nullable !== true, required),
        ...differences(definitions, `${path}.${name}`, inner, member),
      ];
    }),
  ];
}

/** The members beside a reference stay, for example `nullable`. */
function resolveReference(definitions: Definitions, written: Definition): Definition {
  const name = written.$ref?.replace("#/definitions/", "");
  return name === undefined ? written : { ...definitions[name], ...written };
}

function typeOf({ type }: Definition): string | undefined {
  return (
    new Map([
      ["int", "integer"],
      ["bool", "boolean"],
    ]).get(type ?? "") ?? type
  );
}

function sortedValues(values: unknown): readonly unknown[] | undefined {
  return Array.isArray(values) ? [...values].sort() : undefined;
}

/** Bicep cannot say "one of two": its credential has both names, and the service checks that one is set. */
function withoutCredential({ properties = {}, ...schema }: JsonSchema): JsonSchema {
  const { credential: _, ...others } = properties;
  return { ...schema, properties: others };
}

/** The schema of an entry, without what Bicep does not allow for the kind. */
function callerSchema(kind: string, excluded: readonly string[], flows: readonly string[]): JsonSchema {
  const { items = {} } = policyJsonSchema().properties?.["callers"] ?? {};
  const { properties = {}, ...schema } = items;
  const members = Object.entries(properties).filter(([name]) => !excluded.includes(name));
  return {
    ...schema,
    properties: {
      ...Object.fromEntries(members),
      kind: { type: "string", enum: [kind] },
      flows: { ...properties["flows"], items: { type: "string", enum: flows } },
    },
  };
}

async function refusalsOfPolicy(change: (callers: readonly Caller[]) => readonly unknown[]): Promise<string> {
  const policy = (await exampleParameters())["policy"] as { callers: readonly Caller[] };
  return refusalsOfMain({ policy: { ...policy, callers: change(policy.callers) } });
}

type Caller = Readonly<Record<string, unknown>>;
const [PERSON, APPLICATION] = [0, 1] as const;

describeWithBicep("the policy type", () => {
  const caller = policySchema.shape.callers.def.element.shape;
  const forApplicationsOnly = [
    ...["anyPersonMayAllow", "keepAliveDays", "linkMinutes", "redirectUris", "requireConfirmation", "subjectClients"],
    "unattended",
  ];

  test("has the same members as the schema of the service", async () => {
    expect(await membersOf("Policy", "ApplicationCaller", "UserCaller")).toEqual([
      // `$schema` is for editors of JSON. Bicep has its own types.
      Object.keys(policySchema.shape)
        .filter((name) => name !== "$schema")
        .sort(),
      Object.keys(caller).sort(),
      Object.keys(caller)
        .filter((name) => !forApplicationsOnly.includes(name))
        .sort(),
    ]);
  });

  test("has the types, values and bounds of the JSON Schema, for every member", async () => {
    const definitions = await definitionsOf();
    const { apis, registrations } = policyJsonSchema().properties ?? {};
    const compare = (name: string, schema: JsonSchema) =>
      differences(definitions, name, { $ref: `#/definitions/${name}` }, schema);
    const userFlows = ["on-behalf-of", "refresh-token"];
    expect([
      ...compare("Api", (apis?.additionalProperties || {}) as JsonSchema),
      ...compare("Registration", withoutCredential((registrations?.additionalProperties || {}) as JsonSchema)),
      ...compare("UserCaller", callerSchema("user", forApplicationsOnly, userFlows)),
      ...compare(
        "ApplicationCaller",
        callerSchema("application", [], [...userFlows, "authorization-code", "client-credentials"]),
      ),
    ]).toEqual([]);
  });

  test("accepts the example policy", async () => {
    expect(await refusalsOfPolicy((callers) => callers)).toBe("");
  });

  test("registrations and the names of their vault entries reach the setting POLICY unchanged", async () => {
    const policy = (await exampleParameters())["policy"] as object;
    const registrations = {
      narrow: {
        clientId: "55555555-5555-4555-8555-555555555555",
        appIdUri: "api://00000000-0000-4000-8000-00000000000b/graph-token-exchange.narrow",
        credential: { secretName: "narrow-client-secret" },
      },
    };
    const deployment = await deployMain({ policy: { ...policy, registrations }, clientCredential: "key-vault-secret" });
    const setting: unknown = JSON.parse(settingsOf(deployment)["POLICY"] ?? "");
    expect(policySchema.parse(setting).registrations).toEqual(registrations);
  });

  test.for([
    ["a client id that is not a GUID", PERSON, { clientId: "abc" }, "BCP333 'abc':"],
    ["an unknown member", PERSON, { scopes: [] }, 'BCP037 scopes: The property "scopes"'],
    ["an unknown flow", PERSON, { flows: ["password"] }, "BCP034 'password':"],
    ["an empty list of flows", PERSON, { flows: [] }, "BCP333 []:"],
    ["client credentials for a user caller", PERSON, { flows: ["client-credentials"] }, "BCP034 'client-credentials':"],
    ["unattended for a user caller", PERSON, { unattended: true }, 'BCP037 unattended: The property "unattended"'],
    ["an unknown kind", PERSON, { kind: "robot" }, "BCP036 'robot': The property \"kind\""],
    ["a grant for longer than a year", APPLICATION, { grantMaxDays: 366 }, "BCP327 366:"],
    ["a missing name", APPLICATION, { name: undefined }, 'required properties: "name"'],
    ["scopes that are not a list", APPLICATION, { apis: { graph: "User.Read" } }, 'The property "graph" expected'],
  ] as const)("refuses %s", async ([, which, change, problem]) => {
    const problems = await refusalsOfPolicy((callers) => [{ ...callers[which], ...change }]);
    expect(problems).toContain(problem);
    expect(problems.split("\n")).toHaveLength(1);
  });
});
