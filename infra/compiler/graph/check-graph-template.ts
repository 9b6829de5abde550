/**
 * A template that needs the Microsoft Graph extension: compiled with Microsoft's own, and where its registry is out of
 * reach with one made from this repository's property facts.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BicepProcess } from "../bicep-process.ts";
import { checkTemplate, type Finding } from "../check-template.ts";
import type { BicepCompiler } from "../find-compiler.ts";
import { copyWithGraphTypes } from "./copy-with-graph-types.ts";

export interface GraphFinding extends Finding {
  readonly graphTypes: "of Microsoft" | "of this repository";
}

/** A registry that only drops packets would keep the compiler waiting for minutes. */
const REGISTRY_TIMEOUT_MS = 30_000;

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

function noAnswer(path: string): Promise<Finding> {
  const problems = [`no answer from the registry of the Graph extension within ${REGISTRY_TIMEOUT_MS / 1000} s`];
  return new Promise((resolve) => {
    const timer = setTimeout(
      () => resolve({ path, outcome: "extension-unreachable", problems, information: [] }),
      REGISTRY_TIMEOUT_MS,
    );
    // Whoever waits for the compiler keeps the process alive; this deadline alone must not.
    timer.unref();
  });
}
