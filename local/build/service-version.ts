/** The version that the bundle contains: package.json and the commit, so that `/ready` says which code runs. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../..");

/**
 * For example `0.1.0+1f3a9c2b7d04`, and `0.1.0+1f3a9c2b7d04.changed` for a checkout with changes to tracked files. Without
 * git, for example in an archive of a release, only the version.
 */
export function serviceVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
  const commit = git("rev-parse", "--short=12", "HEAD");
  if (commit === undefined) return version;
  return git("status", "--porcelain", "--untracked-files=no", "--", ...SOURCES) === ""
    ? `${version}+${commit}`
    : `${version}+${commit}.changed`;
}

// ---------------------------------------------------------------------------------------------------------------

/** What the package is made of. A change of another file, such as a tenant's parameters, is not a change of the code. */
const SOURCES = ["functions", "shared", "local/build", "host.json", "package.json", "package-lock.json"];

function git(...args: readonly string[]): string | undefined {
  const run = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : undefined;
}
