/** Certificates to trust in addition to the machine's, for fetch and MSAL alike. Checks stay on. */
import { readFileSync } from "node:fs";
// By name, an older Node would not even load this file, and could not be told that it is too old.
import * as tls from "node:tls";
import { settingsProblem } from "./cli-failure.ts";

export function trustCertificates(path: string): void {
  try {
    const [trusted, more] = [tls.getCACertificates("default"), readFileSync(path, "utf8")];
    if (!trusted.includes(more)) tls.setDefaultCACertificates([...trusted, more]);
  } catch (cause) {
    throw settingsProblem(`The certificates in ${path} cannot be read: ${cause instanceof Error ? cause.message : ""}`);
  }
}
