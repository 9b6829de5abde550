/** docs/openapi.json is what the code writes, describes every route, parameter and code, and has no lint finding. */
import { readFileSync, writeFileSync } from "node:fs";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, test } from "vitest";
import { EXAMPLE } from "../../docs/reference/openapi/example-values.ts";
import type { Part } from "../../docs/reference/openapi/schema.ts";
import { FLOW_NAMES } from "../../shared/core/flow-name.ts";
import { HEADER_MEMBERS } from "../../shared/http/read-header-request.ts";
import { LINK_MEMBERS } from "../../shared/http/read-link-request.ts";
import { PUSHED_PARAMETERS, REFUSED_PUSHED_PARAMETERS } from "../../shared/http/read-pushed-request.ts";
import { REVOCATION_PARAMETERS } from "../../shared/http/read-revocation.ts";
import { grantTypesOf, TOKEN_PARAMETERS } from "../../shared/http/read-token-request.ts";
import { CODES } from "../../shared/telemetry/codes.ts";
import {
  apiDescription,
  DESCRIPTION_PATH,
  operationsOf,
  resolved,
  writtenDescription,
} from "./support/api-description.ts";
import { liveRoutes } from "./support/routes.ts";
import { wireCodes } from "./support/wire-codes.ts";

test("docs/openapi.json is what the code writes (UPDATE_DOCS=1 writes it again)", () => {
  const text = writtenDescription();
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(DESCRIPTION_PATH, text);
  expect(readFileSync(DESCRIPTION_PATH, "utf8")).toBe(text);
});

describe("docs/openapi.json", () => {
  const description = apiDescription();
  const operations = operationsOf(description);

  test("describes every live route with every method, and nothing else", () => {
    const live = liveRoutes().flatMap(({ template, methods }) =>
      methods.map((method) => `${method} ${toPath(template)}`),
    );
    expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(live.sort());
  });

  test("names each operation once", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(["problem", "oauth"] as const)("lists every %s code under each status that it can have", (dialect) => {
    const name = dialect === "problem" ? "Problem" : "OAuthError";
    const codes = [...wireCodes(dialect)];
    expect(codes.length).toBeGreaterThan(100);
    for (const [code, { statuses }] of codes) {
      expect(CODES_LISTED).toContain(code);
      for (const status of statuses.filter((one) => one !== 405)) {
        const listed = String(description.components["responses"]?.[`${name}${status}`]?.["description"]);
        expect(listed).toMatch(new RegExp(`\\b${code}\\b`));
      }
    }
  });

  test("lists every code of the audit trail", () => {
    expect(CODES.filter((code) => code !== "ok" && !CODES_LISTED.includes(code))).toEqual([]);
  });

  test.each([
    ["createHeader", HEADER_MEMBERS, []],
    ["requestToken", TOKEN_PARAMETERS, ["access_token"]],
    ["createLink", LINK_MEMBERS, []],
    ["pushAuthorizationRequest", PUSHED_PARAMETERS, ["access_token", ...REFUSED_PUSHED_PARAMETERS]],
    ["revokeGrant", REVOCATION_PARAMETERS, []],
  ])("the body of %s has the parameters that the service reads", (id, names, refused) => {
    const { operation } = operations.find((one) => one.operation.operationId === id) ?? {};
    const [media] = Object.values(operation?.requestBody?.content ?? {});
    const members = membersOf(resolved(description, media?.schema ?? {}));
    expect(Object.keys(members).sort()).toEqual(names.filter((name) => !refused.includes(name)).sort());
  });

  test("has the grant types of the token endpoint", () => {
    expect(membersOf(schemaOf("TokenRequest"))["grant_type"]?.["enum"]).toEqual(grantTypesOf(new Set(FLOW_NAMES)));
  });

  test("has no token, handle or id of a real deployment in an example", () => {
    const text = JSON.stringify(description);
    expect(/eyJ[\w-]{20,}\.[\w-]+\.|gte_[\w-]{20,}/.exec(text)).toBeNull();
    expect(Object.values(EXAMPLE).filter((value) => !text.includes(value))).toEqual([]);
  });

  test("has no error and no warning of Redocly's recommended rules", async () => {
    const rules = {
      // OpenAPI 3.1 matches /signin/confirm before /signin/{link}, and so does the service.
      "no-ambiguous-paths": "off",
      // A probe has no failure of its own.
      "operation-4xx-response": "off",
      // The routes of browsers answer 303.
      "operation-2xx-response": "off",
    } as const;
    const config = await createConfig({ extends: ["recommended"], rules });
    const found = await lintFromString({ source: readFileSync(DESCRIPTION_PATH, "utf8"), config });
    expect(found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
  });
});

const schemaOf = (name: string): Part => apiDescription().components["schemas"]?.[name] ?? {};

const { enum: CODES_LISTED } = schemaOf("Code") as { readonly enum: readonly string[] };

function membersOf({ properties = {} }: Part): Readonly<Record<string, Part>> {
  return properties as Readonly<Record<string, Part>>;
}

/** `{*path}` is a parameter in OpenAPI, and the optional segment of the root is none. */
function toPath(template: string): string {
  return `/${template.replace("{ignored:maxlength(0)?}", "").replace("{*", "{")}`;
}
