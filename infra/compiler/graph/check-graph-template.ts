/**
 * A template that needs the Microsoft Graph extension: compiled with Microsoft's own, and where its registry is out of
 * reach with one made from this repository's property facts.
 */
import { lookup } from "node:dns/promises";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { BicepProcess } from "../bicep-process.ts";
import { checkTemplate, type Finding } from "../check-template.ts";
import type { BicepCompiler } from "../find-compiler.ts";
import { copyWithGraphTypes } from "./copy-with-graph-types.ts";

export interface GraphFinding extends Finding {
  readonly graphTypes: "of Microsoft" | "of this repository";
}

const REGISTRY = "mcr.microsoft.com";
/** Where packets are only dropped, the compiler would try again for minutes. */
const ANSWER_MS = 30_000;
/** Without even a name for the registry: long enough to compile with an extension that was restored before. */
const RESTORED_MS = 5_000;

export function needsGraph(root: string, path: string): boolean {
  return /^extension microsoftGraph/m.test(readFileSync(join(root, path), "utf8"));
}

export async function checkGraphTemplate(
  { bicep, compiler }: { readonly bicep: BicepProcess; readonly compiler: BicepCompiler },
  root: string,
  path: string,
): Promise<GraphFinding> {
  const finding = await Promise.race([checkTemplate(bicep, root, path), noAnswer(path)]);
  if (finding.outcome !== "extension-unreachable") {
    return { ...finding, graphTypes: "of Microsoft" };
  }
  const folder = mkdtempSync(join(tmpdir(), "gte-graph-"));
  try {
    copyWithGraphTypes(compiler, root, folder);
    return { ...(await checkTemplate(bicep, folder, path)), graphTypes: "of this repository" };
  } catch (error) {
    return { ...finding, problems: [...finding.problems, String(error)], graphTypes: "of Microsoft" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function noAnswer(path: string): Promise<Finding> {
  const patienceMs = (await mayAnswer()) ? ANSWER_MS : RESTORED_MS;
  // Whoever waits for the compiler keeps the process alive; this deadline alone must not.
  await sleep(patienceMs, undefined, { ref: false });
  const problems = [`no Graph extension from ${REGISTRY} within ${patienceMs / 1000} s`];
  return { path, outcome: "extension-unreachable", problems, information: [] };
}

/** Whether the registry has an address, or a proxy that may know one. */
async function mayAnswer(): Promise<boolean> {
  const proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
  if (proxies.some((name) => (process.env[name] ?? "") !== "")) {
    return true;
  }
  return lookup(REGISTRY).then(
    () => true,
    () => false,
  );
}
