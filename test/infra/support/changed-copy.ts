/** Copies the templates and changes one text in one file, so that a test can show that a check fails. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBicepWorkspace } from "./compiler.ts";

export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

let copies = 0;

/** Returns the new folder. Changes only the first occurrence, and throws if there is none. */
export function changedCopy({ file, from, to }: Change): string {
  const { infra } = openBicepWorkspace();
  copies += 1;
  const folder = `${infra}-changed-${copies}`;
  cpSync(infra, folder, { recursive: true });
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  return folder;
}
