/** The list of Microsoft Graph's permissions, and the program that writes it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readGraphPermissions } from "../../clients/registration/graph-permissions.ts";
import { GUID } from "../../shared/core/guid.ts";

const FOLDER = resolve(import.meta.dirname, "../../clients/registration");
const folder = mkdtempSync(join(tmpdir(), "gte-permissions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { delegated, application } = readGraphPermissions();

test.each([
  ["delegated", delegated],
  ["application", application],
])("every %s permission has a name, an id and a description, each name and id once", (_, permissions) => {
  expect(permissions.length).toBeGreaterThan(250);
  for (const { name, id, description } of permissions) {
    expect(name).toMatch(/^[A-Za-z][\w.-]*$/);
    expect(id).toMatch(GUID);
    expect(description).toMatch(/\S/);
  }
  expect(new Set(permissions.map(({ name }) => name.toLowerCase())).size).toBe(permissions.length);
  expect(new Set(permissions.map(({ id }) => id)).size).toBe(permissions.length);
});

/** https://learn.microsoft.com/graph/permissions-reference */
test.each([
  ["User.Read", "e1fe6dd8-ba31-4d61-89e7-88639da4683d", false],
  ["Mail.Read", "570282fd-fa5c-430d-a7fd-fc8dc98a9dca", false],
  ["Mail.ReadWrite", "024d486e-b451-40bb-833d-3e66d98c5c73", false],
  ["User.Read.All", "a154be20-db9c-4678-8ab7-66f6cc099a59", true],
  ["Directory.Read.All", "06da0dbc-49e2-44d2-8312-53f166ab848a", true],
  ["offline_access", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", false],
])("%s has Microsoft's id %s", (name, id, adminConsent) => {
  expect(delegated.find((permission) => permission.name === name)).toMatchObject({ id, adminConsent });
});

test("application permissions always need an administrator", () => {
  expect(application.every(({ adminConsent }) => adminConsent)).toBe(true);
  const mail = application.find(({ name }) => name === "Mail.Read");
  expect(mail?.id).toBe("810c84a8-4a9e-49e6-bf7d-12d183f40d01");
});

test("the file names its source and has the license of its text", () => {
  const heading = readFileSync(join(FOLDER, "graph-permissions.tsv"), "utf8").match(/^#.*$/gm)?.join("\n");
  expect(heading).toMatch(/^# Written by refresh-graph-permissions\.ts\. Source: npm @microsoft\/teamsfx-core \d/m);
  expect(heading).toContain("Copyright (c) Microsoft Corporation. MIT License");
  expect(heading).toContain("Permission is hereby granted, free of charge");
});

test("the program writes enabled permissions only, sorted, from the answer of Graph", () => {
  const file = join(folder, "graph.json");
  const permission = (value: string, isEnabled = true) => ({
    id: "44444444-4444-4444-8444-444444444444",
    value,
    isEnabled,
    type: "User",
    adminConsentDisplayName: `Permission\n${value}`,
  });
  const role = { ...permission("Zoo.Read.All"), displayName: "Read zoos", allowedMemberTypes: ["Application"] };
  const graph = {
    id: "55555555-5555-4555-8555-555555555555",
    appId: "00000003-0000-0000-c000-000000000000",
    oauth2PermissionScopes: [permission("Zoo.Read"), permission("Ape.Read"), permission("Gnu.Read", false)],
    appRoles: [role],
  };
  writeFileSync(file, JSON.stringify({ value: [graph] }));
  const { stdout } = spawnSync(process.execPath, [join(FOLDER, "refresh-graph-permissions.ts"), file, "a test"], {
    encoding: "utf8",
  });
  expect(stdout).toContain("Source: a test\n");
  expect(stdout.split("\n").filter((line) => !line.startsWith("#"))).toEqual([
    "Ape.Read\tdelegated\t44444444-4444-4444-8444-444444444444\tuser\tPermission Ape.Read",
    "Zoo.Read\tdelegated\t44444444-4444-4444-8444-444444444444\tuser\tPermission Zoo.Read",
    "Zoo.Read.All\tapplication\t44444444-4444-4444-8444-444444444444\tadmin\tRead zoos",
    "",
  ]);
});
