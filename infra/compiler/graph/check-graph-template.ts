/**
 * Checks a template that needs the Microsoft Graph extension: with Microsoft's extension, or, if its registry is
 * unreachable, with an extension built from the Graph types of this repository.
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
/** If a firewall drops the packets, the compiler retries for minutes. */
const REACHABLE_TIMEOUT_MS = 30_000;
/** If DNS does not resolve the registry: enough time to compile with an extension in the local cache. */
const CACHED_TIMEOUT_MS = 5_000;

export function needsGraph(root: string, path: string): boolean {
  return /^extension microsoftGraph/m.test(readFileSync(join(root, path), "utf8"));
}

export async function checkGraphTemplate(
  { bicep, compiler }: { readonly bicep: BicepProcess; readonly compiler: BicepCompiler },
  root: string,
  path: string,
): Promise<GraphFinding> {
  const finding = await Promise.race([checkTemplate(bicep, root, path), timeOut(path)]);
  if (finding.outcome !== "extension-unreachable") return { ...finding, graphTypes: "of Microsoft" };
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

async function timeOut(path: string): Promise<Finding> {
  const timeoutMs = (await mayBeReachable()) ? REACHABLE_TIMEOUT_MS : CACHED_TIMEOUT_MS;
  // The compiler keeps the process alive. This timer must not.
  await sleep(timeoutMs, undefined, { ref: false });
  const problems = [`the Graph extension was not available from ${REGISTRY} within ${timeoutMs / 1000} s`];
  return { path, outcome: "extension-unreachable", problems, information: [] };
}

/** Whether DNS resolves the registry, or a proxy is configured that may resolve it. */
async function mayBeReachable(): Promise<boolean> {
  const proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
  if (proxies.some((name) => (process.env[name] ?? "") !== "")) return true;
  return lookup(REGISTRY).then(
    () => true,
    () => false,
  );
}
