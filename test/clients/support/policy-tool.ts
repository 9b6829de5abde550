/** Runs the policy commands in this process, on files in a folder of their own. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPolicy } from "../../../clients/policy/run-policy.ts";

export interface PolicyTool {
  readonly folder: string;
  /** Returns the path of the new file. */
  write(name: string, content: string | Uint8Array | object): string;
  run(...args: string[]): { readonly code: number; readonly out: string; readonly notes: string };
}

/** In the output, the paths are relative to the folder. */
export function createPolicyTool(): PolicyTool {
  const folder = mkdtempSync(join(tmpdir(), "gte-policy-"));
  const relative = (text: string) => text.replaceAll(`${folder}/`, "");
  return {
    folder,
    write(name, content) {
      const path = join(folder, name);
      const isText = typeof content === "string" || content instanceof Uint8Array;
      writeFileSync(path, isText ? content : JSON.stringify(content, undefined, 2));
      return path;
    },
    run(...args) {
      const written = { out: "", notes: "" };
      const code = runPolicy(args, {
        program: "npm run policy --",
        terminal: {
          out: (text) => {
            written.out += String(text);
          },
          note: (text) => {
            written.notes += `${text}\n`;
          },
        },
      });
      return { code, out: relative(written.out), notes: relative(written.notes) };
    },
  };
}
