/** How often Entra is asked about credentials that it refuses. */
import { describe, expect, test } from "vitest";
import { createGuessBudget, type GuessBudget } from "../../../shared/client-authentication/guess-budget.ts";

const clientId = (index: number) => `ca11e400-0000-4000-8000-${String(index).padStart(12, "0")}`;

function spend(
  budget: GuessBudget,
  count: number,
  index = 1,
  method: "entra_secret" | "entra_assertion" = "entra_secret",
) {
  return Array.from({ length: count }, () => budget.take(clientId(index), method));
}

describe("the budget of one client", () => {
  test.each([
    ["entra_secret", 5],
    ["entra_assertion", 60],
  ] as const)("%s: %i questions a minute, and then the seconds until the minute ends", (method, limit) => {
    let now = 100;
    const budget = createGuessBudget(() => now);
    expect(spend(budget, limit, 1, method)).toEqual(Array.from({ length: limit }, () => undefined));
    now = 130;
    expect(budget.take(clientId(1), method)).toBe(30);
    now = 160;
    expect(budget.take(clientId(1), method)).toBeUndefined();
  });

  test("is not spent by another client or method", () => {
    const budget = createGuessBudget(() => 0);
    spend(budget, 6);
    expect(budget.take(clientId(2), "entra_secret")).toBeUndefined();
    expect(budget.take(clientId(1), "entra_assertion")).toBeUndefined();
  });

  test("gets a question back that Entra did not refuse, and never more than was spent", () => {
    const budget = createGuessBudget(() => 0);
    spend(budget, 5);
    budget.giveBack(clientId(1), "entra_secret");
    expect(spend(budget, 2)).toEqual([undefined, 60]);
    const fresh = createGuessBudget(() => 0);
    fresh.giveBack(clientId(1), "entra_secret");
    expect(spend(fresh, 6).at(-1)).toBe(60);
  });
});

describe("all clients of a method together", () => {
  test("have 200 questions a minute beside the own share of each", () => {
    let now = 0;
    const budget = createGuessBudget(() => now);
    // Two of five are the client's own.
    for (let index = 0; index < 66; index++) expect(spend(budget, 5, index)).not.toContain(60);
    expect(spend(budget, 5, 66)).toEqual([undefined, undefined, undefined, undefined, 60]);
    now = 60;
    expect(spend(budget, 5, 66)).not.toContain(60);
  });

  test("leave each client its own share, and the other method alone", () => {
    const budget = createGuessBudget(() => 0);
    for (let index = 0; index < 10; index++) spend(budget, 60, index, "entra_assertion");
    expect(spend(budget, 21, 99, "entra_assertion")).toEqual([...Array.from({ length: 20 }, () => undefined), 60]);
    expect(spend(budget, 5, 99)).not.toContain(60);
  });

  test("get back what a client took beyond its share", () => {
    const budget = createGuessBudget(() => 0);
    for (let index = 0; index < 67; index++) spend(budget, 5, index);
    expect(spend(budget, 3, 99).at(-1)).toBe(60);
    budget.giveBack(clientId(1), "entra_secret");
    expect(spend(budget, 1, 99)).toEqual([undefined]);
    budget.giveBack(clientId(99), "entra_secret");
    budget.giveBack(clientId(99), "entra_secret");
    expect(spend(budget, 3, 99)).toEqual([undefined, undefined, 60]);
  });
});
