/** Builds and lints one file, and reads what the compiler has to say about it. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import type { BicepCompiler } from "./find-compiler.ts";

export interface Finding {
  readonly path: string;
  /** `extension-unreachable`: nothing is wrong but that the registry of an extension could not be reached. */
  readonly outcome: "passed" | "failed" | "extension-unreachable";
  readonly diagnostics: readonly string[];
}

/** One line of the compiler that speaks of an error or a warning: `file(line,column) : Error BCP123: …`. */
const DIAGNOSTIC = /\b(?:Error|Warning)\s+([A-Za-z][\w-]*)\s*:/;
/** The artifact could not be restored, and what follows from its types being unknown. */
const EXTENSION_CODES = new Set(["BCP192", "BCP190", "BCP400", "BCP204", "BCP029", "BCP081"]);

/** Compiles to `outputRoot`, keeping the folder structure. */
export function checkTemplate(compiler: BicepCompiler, root: string, path: string, outputRoot: string): Finding {
  const parameters = path.endsWith(".bicepparam");
  const output = join(outputRoot, path.replace(/\.bicep(param)?$/, parameters ? ".parameters.json" : ".json"));
  mkdirSync(dirname(output), { recursive: true });
  const runs = [
    run(compiler, [parameters ? "build-params" : "build", ...compiler.fileFlag, join(root, path), "--outfile", output]),
    run(compiler, ["lint", ...compiler.fileFlag, join(root, path)]),
  ];
  const text = runs.map((result) => `${result.stdout ?? ""}\n${result.stderr ?? ""}`).join("\n");
  return toFinding(
    path,
    text,
    runs.every((result) => result.status === 0),
  );
}

/** Exported for its test: the compiler itself may not be at hand. */
export function toFinding(path: string, text: string, succeeded: boolean): Finding {
  const diagnostics = [...new Set(text.split(/\r?\n/).filter((line) => DIAGNOSTIC.test(line)))];
  if (diagnostics.length === 0) {
    const silent = succeeded ? [] : text.split(/\r?\n/).filter((line) => line.trim() !== "");
    return { path, outcome: succeeded ? "passed" : "failed", diagnostics: silent };
  }
  const codes = diagnostics.map((line) => DIAGNOSTIC.exec(line)?.[1] ?? "");
  const unreachable = text.includes("microsoftgraph") && codes.every((code) => EXTENSION_CODES.has(code));
  return { path, outcome: unreachable ? "extension-unreachable" : "failed", diagnostics };
}

function run(compiler: BicepCompiler, args: readonly string[]) {
  const [program, ...first] = compiler.command;
  return spawnSync(program, [...first, ...args], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32" && program === "az",
  });
}
