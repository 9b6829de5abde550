/**
 * The software bill of materials (CycloneDX) of everything in package-lock.json, development tools included, as npm writes
 * it. Without npm's random serial number and time, and with the name of the package: the same lock file gives the same
 * text.
 */
import { execFileSync } from "node:child_process";

/** `root`: folder with package.json and package-lock.json. */
export function npmSbom(root: string): string {
  const sbom = JSON.parse(
    runNpm(root, ["sbom", "--sbom-format=cyclonedx", "--sbom-type=application", "--package-lock-only"]),
  );
  const { serialNumber: _serialNumber, ...rest } = sbom;
  const { timestamp: _timestamp, tools: _tools, ...metadata } = sbom.metadata;
  // npm takes the name of the folder.
  const component = {
    ...metadata.component,
    name: decodeURIComponent(metadata.component.purl).replace(/^pkg:npm\/|@[^@]*$/g, ""),
  };
  return `${JSON.stringify({ ...rest, metadata: { ...metadata, component } }, undefined, 2)}\n`;
}

// ---------------------------------------------------------------------------------------------------------------

/** The npm that runs the script, if there is one. */
function runNpm(cwd: string, args: readonly string[]): string {
  const cli = process.env["npm_execpath"];
  const options = { cwd, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 } as const;
  return cli?.endsWith(".js") === true
    ? execFileSync(process.execPath, [cli, ...args], options)
    : execFileSync("npm", args, { ...options, shell: process.platform === "win32" });
}
