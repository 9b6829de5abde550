import fc from "fast-check";
import { expect, test } from "vitest";
import { CODES } from "../../../shared/telemetry/codes.ts";
import { createLabels } from "../../../shared/telemetry/labels.ts";
import type { LabelFacts } from "../../../shared/telemetry/telemetry.ts";
import { wireCodes } from "../../docs/support/wire-codes.ts";

const APIS = ["graph", "orders"];
const CLOSED_SETS: Readonly<Record<string, readonly string[]>> = {
  "gte.route": ["token"],
  "gte.flow": ["on-behalf-of", "refresh-token", "authorization-code", "client-credentials", "none", "other"],
  "gte.api": [...APIS, "none", "other"],
  "gte.registration": ["default", "narrow", "none", "other"],
  "gte.outcome": ["issued", "answered", "refused", "failed", "none", "other"],
  "gte.code": [...CODES, "none", "other"],
  "gte.cache": ["hit", "joined", "miss", "bypass", "shared", "none", "other"],
};
const labelsOf = createLabels(() => ({ apis: APIS, registrations: ["default", "narrow"] }));

test("property: no label has a value outside its closed set", () => {
  const value = fc.oneof(
    fc.string(),
    fc.uuid(),
    fc.constantFrom(...Object.values(CLOSED_SETS).flat(), "__proto__", "constructor", "toString", "GRAPH", "graph "),
    fc.constant(undefined),
    fc.anything(),
  );
  const facts = fc.record({
    outcome: value,
    code: value,
    flow: value,
    api: value,
    registration: value,
    cache: value,
    callerClientId: fc.uuid(),
    callerObjectId: fc.uuid(),
    subjectObjectId: fc.uuid(),
    correlationId: fc.uuid(),
    policyEntry: fc.string(),
    reason: fc.string(),
  });
  fc.assert(
    fc.property(facts, (random) => {
      const labels = labelsOf("token", random as unknown as LabelFacts);
      expect(Object.keys(labels).sort()).toEqual(Object.keys(CLOSED_SETS).sort());
      for (const [name, label] of Object.entries(labels)) {
        expect(CLOSED_SETS[name]).toContain(label);
      }
    }),
    { numRuns: 300 },
  );
});

test("a label is the value if its set contains it, otherwise other, and none without a value", () => {
  const facts: LabelFacts = {
    outcome: "issued",
    code: "ok",
    flow: "on-behalf-of",
    api: "orders",
    registration: "narrow",
    cache: "hit",
  };
  expect(labelsOf("token", facts)).toEqual({
    "gte.route": "token",
    "gte.flow": "on-behalf-of",
    "gte.api": "orders",
    "gte.registration": "narrow",
    "gte.outcome": "issued",
    "gte.code": "ok",
    "gte.cache": "hit",
  });
  expect(labelsOf("token", { outcome: "refused", code: "caller_missing" })).toMatchObject({
    "gte.flow": "none",
    "gte.api": "none",
    "gte.cache": "none",
  });
  expect(labelsOf("token", { ...facts, api: "mail", code: "new_code" })).toMatchObject({
    "gte.api": "other",
    "gte.code": "other",
  });
});

test("the list of codes contains exactly the codes of the service", () => {
  expect([...CODES].sort()).toEqual(["ok", ...wireCodes().keys()].sort());
});
