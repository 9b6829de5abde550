/** What Power Platform, Power Automate and Copilot Studio do not take in `apiDefinition` (PP-9). Pure. */
import { isJsonObject, type JsonObject } from "../../shared/core/json-object.ts";
import { type ConnectorFiles, textAt, textsIn } from "./connector-files.ts";
import { error, type Finding } from "./finding.ts";
import { placeholderIn } from "./placeholder.ts";

const MAX_BYTES = 1_048_576;

/**
 * The extensions that exist. Source: https://learn.microsoft.com/connectors/custom-connectors/openapi-extensions and
 * `schemas/apiDefinition.swagger.schema.json` of github.com/microsoft/PowerPlatformConnectors.
 */
const EXTENSIONS = [
  ...["summary", "visibility", "api-annotation", "operation-context", "capabilities", "trigger", "trigger-hint"],
  ...["trigger-metadata", "trigger-value", "notification-content", "notification-url", "notification", "url-encoding"],
  ...["dynamic-values", "dynamic-list", "dynamic-schema", "dynamic-properties", "dynamic-tree", "no-generic-test"],
  ...["safe-operation", "test-value", "connector-metadata", "docs", "deployment-version", "pageable", "media-kind"],
  ...["enum-values", "localizeDefaultValue", "enum", "parameter-location", "skip-url-encoding", "agentic-protocol"],
].map((name) => `x-ms-${name}`);

export function definitionFindings({ definition, definitionBytes }: ConnectorFiles): Finding[] {
  return [
    ...whole(definition, definitionBytes),
    ...operationsIn(definition).flatMap(({ name, operation }) => operationFindings(name, operation)),
    ...shapes(definition),
  ];
}

// ---------------------------------------------------------------------------------------------------------------

function whole(definition: JsonObject, bytes: number): Finding[] {
  const { swagger, host, schemes } = definition;
  const title = textAt(definition, "info", "title") ?? "";
  const findings: Finding[] = [];
  if (swagger !== "2.0") findings.push(error("not_openapi_2", "Power Platform imports OpenAPI 2.0 only."));
  if (bytes > MAX_BYTES)
    findings.push(error("too_large", `The definition has ${bytes} bytes; at most 1 MB is imported.`));
  if (/\s/.test(title)) {
    findings.push(
      error(
        "title_with_blanks",
        `The title "${title}" has blanks. Choose one without: the connector's name and its redirect URI are made of it.`,
      ),
    );
  }
  if (placeholderIn([String(host ?? "")]) !== undefined) {
    findings.push(error("placeholder_left", "host is not the host of your service. Run: npm run connector -- fill"));
  }
  if (!Array.isArray(schemes) || schemes.length !== 1 || schemes[0] !== "https") {
    findings.push(error("not_https", "schemes must be https alone."));
  }
  return findings;
}

function operationFindings(name: string, operation: JsonObject): Finding[] {
  const { operationId, summary, description, tags, parameters } = operation;
  const findings: Finding[] = [];
  if (typeof operationId !== "string" || !/^[A-Za-z]\w*$/.test(operationId)) {
    findings.push(error("operation_id", `${name} needs an operationId of letters and digits.`));
  }
  if (typeof summary !== "string" || typeof description !== "string") {
    findings.push(error("operation_words", `${name} needs a summary and a description.`));
  }
  if (tags !== undefined) findings.push(error("tags", `${name} has tags, on which Copilot Studio fails.`));
  for (const parameter of Array.isArray(parameters) ? parameters.filter(isJsonObject) : []) {
    if (parameter["x-ms-summary"] === undefined || parameter["description"] === undefined) {
      findings.push(
        error("parameter_words", `${name}: ${String(parameter["name"])} needs x-ms-summary and description.`),
      );
    }
  }
  return findings;
}

/** At any depth. */
function shapes(definition: JsonObject): Finding[] {
  const found = new Set(keywordsIn(definition).flatMap(([name, member]) => shapeOf(name, member)));
  return [...found].map(
    (key) => SHAPES[key] ?? error("unknown_extension", `${key} is no extension of Power Platform.`),
  );
}

/** Every keyword with its value. The names of an object's members are no keywords. */
function keywordsIn(value: unknown): (readonly [name: string, member: unknown])[] {
  if (Array.isArray(value)) return value.flatMap(keywordsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    [name, member] as const,
    ...(name === "properties" && isJsonObject(member) ? Object.values(member).flatMap(keywordsIn) : keywordsIn(member)),
  ]);
}

function shapeOf(name: string, member: unknown): string[] {
  if (name === "type") return textsIn(member).includes("array") ? ["array"] : [];
  return name === "$ref" || (name.startsWith("x-ms-") && !EXTENSIONS.includes(name)) ? [name] : [];
}

const SHAPES: Readonly<Record<string, Finding>> = {
  $ref: error(
    "reference",
    "The definition has $ref, on which Copilot Studio fails. Write the schema where it is used.",
  ),
  array: error("list", "A parameter or a response has the type array, on which Copilot Studio fails."),
};

function operationsIn({ paths }: JsonObject): { readonly name: string; readonly operation: JsonObject }[] {
  return Object.entries(isJsonObject(paths) ? paths : {}).flatMap(([path, methods]) =>
    Object.entries(isJsonObject(methods) ? methods : {}).flatMap(([method, operation]) =>
      isJsonObject(operation) ? [{ name: `${method.toUpperCase()} ${path}`, operation }] : [],
    ),
  );
}
