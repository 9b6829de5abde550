/**
 * The host tries the functions in the order of their names, and the first template that matches answers. This test fails if
 * the template of one function hides the path of a later one.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compose, realSurroundings } from "../../functions/composition/compose.ts";
import { routesOf } from "../../functions/register.ts";
import { createRouteTable } from "../../local/host/routing/route-table.ts";
import { createServiceSettings } from "../../local/stack/service-settings.ts";
import { configFrom } from "../../shared/config/environment.ts";

const settings = createServiceSettings({
  tenantUrl: "https://localhost:7443",
  serviceUrl: "http://localhost:7071",
  tableUrl: "http://127.0.0.1:10002/devstoreaccount1",
  managedIdentity: { endpoint: "", header: "" },
});
const routes = routesOf(compose(configFrom(settings), realSurroundings()));

interface Named {
  readonly name: string;
  readonly template: string;
}

/** The function that answers `path`, of functions that take every method. */
function answering(functions: readonly Named[], path: string): string | undefined {
  const definitions = functions.map(({ name, template }) => ({ name, template, methods: undefined, target: name }));
  return createRouteTable(definitions).match("GET", path)?.target;
}

/** A path of the template, with `value` in place of each parameter. */
const pathOf = ({ template }: Named, value: string) =>
  `/${template.replace(/\{[^{}]+\}/g, (parameter) => (parameter.includes("maxlength(0)") ? "" : value))}`;

/** Each pair of functions of which the earlier one answers a path of the later one. */
function shadows(functions: readonly Named[]): string[] {
  return functions.flatMap((later) =>
    ["abc", "7", "10ca1000-7e57-4000-8000-000000000000", "a.b_c~d"].flatMap((value) => {
      const path = pathOf(later, value);
      const first = answering(functions, path);
      return first === later.name ? [] : [`${first} answers ${path} of ${later.name}`];
    }),
  );
}

describe("the functions of the app", () => {
  test("are all registered with the local policy, so that this test sees each of them", () => {
    const text = readFileSync(join(import.meta.dirname, "../../functions/register.ts"), "utf8");
    const written = new Set([...text.matchAll(/\b(\w+Route)\(/g)].map(([, name]) => name));
    expect(routes).toHaveLength(written.size);
  });

  test("have the names that docs/audit.md lists for the member route", () => {
    const text = readFileSync(join(import.meta.dirname, "../../docs/audit.md"), "utf8");
    const row = /^\| `route` \|.*$/m.exec(text)?.[0] ?? "";
    const listed = [...row.matchAll(/`([\w-]+)`/g)].map(([, name]) => name).slice(1);
    expect(new Set(listed)).toEqual(new Set(routes.map(({ name }) => name)));
  });

  test("have names that differ in more than case", () => {
    expect(new Set(routes.map(({ name }) => name.toUpperCase())).size).toBe(routes.length);
  });

  test("hide no path of another function", () => {
    expect(shadows(routes)).toEqual([]);
  });

  test("hide no path of another function, with any text as parameter", () => {
    const literals = new Set(routes.flatMap(({ template }) => template.toLowerCase().split("/")));
    const value = fc
      .stringMatching(/^[\w.~-]{1,40}$/)
      .filter((text) => !literals.has(text.toLowerCase()) && !/^\.+$/.test(text));
    fc.assert(
      fc.property(fc.constantFrom(...routes), value, (route, text) => {
        expect(answering(routes, pathOf(route, text))).toBe(route.name);
      }),
    );
  });
});

test("the search for shadowing finds the names that an earlier version had", () => {
  const renamed = routes.map(({ name, template }) => ({ name: name === "signin-open" ? "signin" : name, template }));
  expect(new Set(shadows(renamed))).toEqual(
    new Set(["signin answers /signin/confirm of signin-confirm", "signin answers /signin/links of signin-links"]),
  );
});
