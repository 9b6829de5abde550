/** The templates with one place of one file changed: for showing that a check can fail. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openWorkshop } from "./compiler.ts";

export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

let copies = 0;

/** The new folder. Only the first place is changed, and there must be one. */
export function changedCopy({ file, from, to }: Change): string {
  const { infra } = openWorkshop();
  copies += 1;
  const folder = `${infra}-changed-${copies}`;
  cpSync(infra, folder, { recursive: true });
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  if (!text.includes(from)) throw new Error(`${file} does not say ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  return folder;
}
