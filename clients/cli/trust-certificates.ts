/** Certificates to trust in addition to the machine's, for fetch and MSAL alike. Checks stay on. */
import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { settingsProblem } from "./cli-failure.ts";

export function trustCertificates(path: string): void {
  try {
    const [trusted, more] = [getCACertificates("default"), readFileSync(path, "utf8")];
    if (!trusted.includes(more)) setDefaultCACertificates([...trusted, more]);
  } catch (cause) {
    throw settingsProblem(`The certificates in ${path} cannot be read: ${cause instanceof Error ? cause.message : ""}`);
  }
}
