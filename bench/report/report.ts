/**
 * Writes `docs/benchmarks.md` and its plots. Each run saves its findings as JSON next to the plots. The page consists of
 * `bench/report/notes.md`, which is maintained manually, and the findings of all benchmarks.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join, resolve } from "node:path";
import type { Findings, Scenario, Table } from "../scenario.ts";
import { toSvg } from "./svg.ts";

const documents = resolve(import.meta.dirname, "../../docs");
const folder = join(documents, "benchmarks");

interface Run {
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly machine: string;
  readonly versions: string;
  readonly findings: Findings;
}

/** Saves the findings of a run for the page and for comparison. */
export function saveRun({ name }: Scenario, findings: Findings): void {
  mkdirSync(folder, { recursive: true });
  const run: Run = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    versions: describeVersions(),
    findings,
  };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(run, undefined, 2)}\n`);
  for (const [index, plot] of findings.plots.entries()) {
    writeFileSync(join(folder, plotName(name, index)), toSvg(plot));
  }
}

/** Writes the page from the saved findings. */
export function writePage(scenarios: readonly Scenario[]): void {
  const notes = readFileSync(join(import.meta.dirname, "notes.md"), "utf8").trimEnd();
  const sections = scenarios.flatMap((scenario) => {
    const run = readRun(scenario.name);
    return run === undefined ? [] : [section(scenario, run)];
  });
  writeFileSync(join(documents, "benchmarks.md"), `${[notes, ...sections].join("\n\n")}\n`);
}

export function toText({ aims, tables }: Findings): string {
  const lines = aims.map(
    ({ what, aim, measured, met }) => `  ${met ? "met  " : "MISSED"} ${what}: ${measured} (aim ${aim})`,
  );
  return [...lines, ...tables.map((table) => markdownTable(table))].join("\n");
}

// ---------------------------------------------------------------------------------------------------------------

function readRun(name: string): Run | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Run;
  } catch {
    return undefined;
  }
}

function section({ name, title }: Scenario, { date, machine, versions, findings }: Run): string {
  const { how, aims, tables, plots } = findings;
  const aimTable = {
    columns: ["", "aim", "measured", ""],
    rows: aims.map(({ what, aim, measured, met }) => [what, aim, measured, met ? "met" : "missed"]),
  };
  return [
    `## ${title}`,
    wrap(how),
    ...(aims.length === 0 ? [] : [markdownTable(aimTable)]),
    ...tables.map(markdownTable),
    ...plots.map((plot, index) => `![${plot.title}](benchmarks/${plotName(name, index)})`),
    wrap(`\`npm run bench ${name}\`, ${date.slice(0, 16).replace("T", " ")} UTC, ${machine}, ${versions}.`),
  ].join("\n\n");
}

/** Breaks prose into lines of at most 120 characters. Code spans stay whole. */
function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > 120) {
      lines.push(word);
    } else {
      lines[lines.length - 1] = `${last} ${word}`;
    }
  }
  return lines.join("\n");
}

function plotName(name: string, index: number): string {
  return index === 0 ? `${name}.svg` : `${name}-${index + 1}.svg`;
}

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

function describeMachine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`;
}

function describeVersions(): string {
  const versionOf = (name: string) =>
    (JSON.parse(readFileSync(join(documents, `../node_modules/${name}/package.json`), "utf8")) as { version: string })
      .version;
  const names = ["@azure/functions", "@azure/msal-node", "jose", "@redis/client"];
  return [`Node ${process.versions.node}`, ...names.map((name) => `${name} ${versionOf(name)}`)].join(", ");
}
