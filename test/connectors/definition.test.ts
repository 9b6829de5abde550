/**
 * The files to import into Power Platform. No package carries Microsoft's JSON schemas of these files, so the rules are
 * this repository's own, from the documentation: `clients/connector/definition-rules.ts`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readConnector } from "../../clients/connector/connector-files.ts";
import { definitionFindings } from "../../clients/connector/definition-rules.ts";
import { signInFindings } from "../../clients/connector/sign-in-rules.ts";
import { connectorDefinition } from "../../docs/reference/openapi/connector-definition.ts";
import { toPolicyQuestion } from "../../shared/http/read-policy-question.ts";
import { explainPolicy } from "../../shared/policy/explain.ts";
import { parsePolicy } from "../../shared/policy/parse-policy.ts";
import { apiDescription } from "../docs/support/api-description.ts";
import { fences, markdownFile, root } from "../docs/support/markdown.ts";
import { readFlow } from "./support/sample-flow.ts";

const FOLDER = join(root, "connectors/power-platform");
const DEFINITION = join(FOLDER, "apiDefinition.swagger.json");

test("apiDefinition.swagger.json is what the code makes of docs/openapi.json (UPDATE_DOCS=1 writes it again)", () => {
  const text = `${JSON.stringify(connectorDefinition(apiDescription()), undefined, 2)}\n`;
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(DEFINITION, text);
  expect(readFileSync(DEFINITION, "utf8")).toBe(text);
});

describe("the files to import", () => {
  const connector = readConnector(FOLDER);
  const paths = connector.definition["paths"] as Record<string, Record<string, Operation>>;
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));

  test("have no finding but the values of the deployment, which are still placeholders", () => {
    const findings = [...definitionFindings(connector), ...signInFindings(connector)];
    expect([...new Set(findings.map(({ code }) => code))].sort()).toEqual(["placeholder_left", "redirect_not_known"]);
  });

  test("are far below 1 MB", () => {
    expect(connector.definitionBytes).toBeLessThan(20_000);
  });

  test("have the relay as their first action, which returns no token", () => {
    expect(operations.map(({ operationId }) => operationId)).toEqual(["CallApi", "GetHeader"]);
    expect(JSON.stringify(operations[0]?.responses)).not.toContain("uthorization");
  });

  test("have a default for the API and the methods of the relay", () => {
    const parameters = new Map(operations[0]?.parameters.map((parameter) => [parameter["name"], parameter]));
    expect(parameters.get("api")).toMatchObject({ default: "graph", required: true });
    expect(parameters.get("optionsOverride.HttpMethod")).toMatchObject({
      default: "GET",
      enum: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
    });
  });

  test("sign people in at Entra on behalf of themselves, for the service, without a secret", () => {
    expect(connector.signIn).toMatchObject({
      identityProvider: "aad",
      onBehalfOf: true,
      hasSecret: false,
      redirectMode: "GlobalPerConnector",
      resourceId: connector.signIn.resourceUri,
    });
  });

  test("have an icon that the wizard takes: a PNG of 230 by 230 below 1 MB", () => {
    const icon = readFileSync(join(FOLDER, "icon.png"));
    expect(icon.subarray(1, 4).toString("latin1")).toBe("PNG");
    expect([icon.readUInt32BE(16), icon.readUInt32BE(20)]).toEqual([230, 230]);
    expect(icon.length).toBeLessThan(20_000);
  });

  test("are explained to makers, with a policy entry that allows the request of the sample flow and no token", () => {
    const [entry = ""] = fences(markdownFile("connectors/power-platform/README.md").text, "json");
    const { name, clientId, kind } = JSON.parse(entry);
    const apis = { graph: { resource: "https://graph.microsoft.com", scopes: ["Mail.Read"] } };
    const parsed = parsePolicy(JSON.stringify({ apis, callers: [JSON.parse(entry)] }));
    expect(parsed).not.toHaveProperty("problems");
    const ask = (more: object) => {
      const question = toPolicyQuestion({ caller: { kind, clientId }, flow: "on-behalf-of", api: "graph", ...more });
      const explained = question.ok && "policy" in parsed ? explainPolicy(parsed.policy, question.value) : undefined;
      return explained?.ok === true ? explained.value : undefined;
    };
    const { Read_mail } = readFlow("connector").definition.actions;
    const { parameters } = (Read_mail?.inputs ?? {}) as { readonly parameters: Readonly<Record<string, string>> };
    const call = {
      method: parameters["optionsOverride.HttpMethod"],
      path: parameters["optionsOverride.RelativePath"],
    };
    expect(ask({ call })).toMatchObject({ allowed: true, entry: name });
    expect(ask({})).toMatchObject({ allowed: false, reason: "relay_only" });
  });
});

interface Operation {
  readonly operationId: string;
  readonly parameters: readonly Record<string, unknown>[];
  readonly responses: unknown;
}
