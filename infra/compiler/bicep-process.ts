/**
 * The Bicep compiler as one process that answers many questions, because starting it and loading its types takes longer
 * than compiling. Protocol: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli-jsonrpc
 */
import { spawn } from "node:child_process";
import type { BicepCompiler } from "./find-compiler.ts";
import { connectJsonRpc } from "./json-rpc.ts";

interface Position {
  /** Both start at 0. */
  readonly line: number;
  readonly char: number;
}

export interface Diagnostic {
  /** Absolute path of the file that it is about, which may be a module of the one that was asked for. */
  readonly source: string;
  readonly range: { readonly start: Position; readonly end: Position };
  readonly level: "Error" | "Warning" | "Info" | "Off";
  readonly code: string;
  readonly message: string;
}

export interface Compiled {
  readonly success: boolean;
  readonly diagnostics: readonly Diagnostic[];
  /** The template as JSON; of a parameter file the parameters. Not there if an error prevented it. */
  readonly contents?: string | undefined;
}

/** Where a deployment would go. */
export interface Target {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly location: string;
  /** Without a name the modules' outputs stay unresolved. */
  readonly deploymentName: string;
}

/** What a deployment would make, as far as it is known beforehand; the rest stays an expression of Azure's. */
export interface Snapshot {
  readonly predictedResources: readonly Readonly<Record<string, unknown>>[];
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface BicepProcess {
  /** Compiles and lints a .bicep or .bicepparam file. */
  compile(path: string): Promise<Compiled>;
  /** Evaluates a .bicepparam file with its template. Rejects where that does not compile. */
  snapshot(path: string, target: Target): Promise<Snapshot>;
  close(): void;
}

export function startBicep({ program }: BicepCompiler): BicepProcess {
  const child = spawn(program, ["jsonrpc", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const rpc = connectJsonRpc(child);
  return {
    compile: async (path) => {
      if (!path.endsWith(".bicepparam")) {
        return (await rpc.call("bicep/compile", { path })) as Compiled;
      }
      const answer = (await rpc.call("bicep/compileParams", { path, parameterOverrides: {} })) as CompiledParameters;
      return { success: answer.success, diagnostics: answer.diagnostics, contents: answer.parameters };
    },
    snapshot: async (path, target) => {
      const answer = (await rpc.call("bicep/getSnapshot", { path, metadata: target })) as { readonly snapshot: string };
      return JSON.parse(answer.snapshot) as Snapshot;
    },
    // It may be waiting for a registry that does not answer, and there is nothing that it could lose.
    close: () => {
      child.kill();
    },
  };
}

interface CompiledParameters {
  readonly success: boolean;
  readonly diagnostics: readonly Diagnostic[];
  readonly parameters?: string;
}
