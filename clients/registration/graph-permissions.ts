/**
 * The permissions of Microsoft Graph without a look-up: `graph-permissions.tsv`. An id never changes, and every tenant has
 * the same. A permission that is newer than the file is found in the tenant.
 */
import { readFileSync } from "node:fs";
import { GRAPH_APP_ID, GRAPH_RESOURCES } from "../../shared/core/graph-resource.ts";
import type { Api, Permission } from "./api.ts";

const FILE = new URL("graph-permissions.tsv", import.meta.url);

export function readGraphPermissions(): Api {
  const rows = readFileSync(FILE, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split("\t"));
  const ofKind = (kind: string) => rows.filter((row) => row[1] === kind).map(toPermission);
  return {
    appId: GRAPH_APP_ID,
    objectId: undefined,
    displayName: "Microsoft Graph",
    names: Object.values(GRAPH_RESOURCES).flat(),
    delegated: ofKind("delegated"),
    application: ofKind("application"),
  };
}

function toPermission([name = "", , id = "", consent, description = ""]: readonly string[]): Permission {
  return { name, id, description, adminConsent: consent === "admin" };
}
