/** Adds trusted certificates for fetch and MSAL. Certificates are still validated. */
import { readFileSync } from "node:fs";
// Import the namespace: a named import would fail to load on an older Node, before `nodeProblem` can report it.
import * as tls from "node:tls";
import { settingsFailure } from "./cli-failure.ts";

export function trustCertificates(path: string): void {
  try {
    const [trusted, more] = [tls.getCACertificates("default"), readFileSync(path, "utf8")];
    if (!trusted.includes(more)) tls.setDefaultCACertificates([...trusted, more]);
  } catch (cause) {
    throw settingsFailure(`The certificates in ${path} cannot be read: ${cause instanceof Error ? cause.message : ""}`);
  }
}
