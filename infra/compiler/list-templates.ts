/** Lists every Bicep file in infra/, templates before parameter files. */
import { readdirSync } from "node:fs";

/** Paths relative to `root`, in a stable order. */
export function listTemplates(root: string): string[] {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
  const templates = files.filter((path) => path.endsWith(".bicep")).sort();
  const parameters = files.filter((path) => path.endsWith(".bicepparam")).sort();
  return [...templates, ...parameters];
}
