/**
 * The Bicep compiler as one process for all requests, because starting it and loading its types takes longer than
 * compiling. Protocol: https://learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-cli-jsonrpc
 */
import { spawn } from "node:child_process";
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from "vscode-jsonrpc/node";
import type { BicepCompiler } from "./find-compiler.ts";

interface Position {
  /** `line` and `char` both start at 0. */
  readonly line: number;
  readonly char: number;
}

export interface Diagnostic {
  /** Absolute path of the file with the problem: the compiled file or a module of it. */
  readonly source: string;
  readonly range: { readonly start: Position; readonly end: Position };
  readonly level: "Error" | "Warning" | "Info" | "Off";
  readonly code: string;
  readonly message: string;
}

export interface Compiled {
  readonly success: boolean;
  readonly diagnostics: readonly Diagnostic[];
  /** The template as JSON, or the parameters of a parameter file. Undefined if an error prevented it. */
  readonly contents?: string | undefined;
}

/** The target of a deployment. */
export interface Target {
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly resourceGroup: string;
  readonly location: string;
  /** Without a name, the outputs of modules stay unresolved. */
  readonly deploymentName: string;
}

/** The resources that a deployment would create. Values that only Azure knows stay template expressions. */
export interface Snapshot {
  readonly predictedResources: readonly Readonly<Record<string, unknown>>[];
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface BicepProcess {
  /** Compiles and lints a .bicep or .bicepparam file. */
  compile(path: string): Promise<Compiled>;
  /** Evaluates a .bicepparam file with its template. Rejects if it does not compile. */
  snapshot(path: string, target: Target): Promise<Snapshot>;
  close(): void;
}

export function startBicep({ program }: BicepCompiler): BicepProcess {
  const child = spawn(program, ["jsonrpc", "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
  const rpc = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  // Disposing rejects the requests without an answer: the compiler has ended, or did not start.
  rpc.onClose(() => rpc.dispose());
  child.on("error", () => rpc.dispose());
  rpc.listen();
  return {
    compile: async (path) => {
      if (!path.endsWith(".bicepparam")) return rpc.sendRequest<Compiled>("bicep/compile", { path });
      const { success, diagnostics, parameters } = await rpc.sendRequest<CompiledParameters>("bicep/compileParams", {
        path,
        parameterOverrides: {},
      });
      return { success, diagnostics, contents: parameters };
    },
    snapshot: async (path, target) => {
      const { snapshot } = await rpc.sendRequest<{ snapshot: string }>("bicep/getSnapshot", { path, metadata: target });
      return JSON.parse(snapshot) as Snapshot;
    },
    // Do not wait for the compiler: it may be waiting for a registry that does not answer, and it writes nothing.
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
