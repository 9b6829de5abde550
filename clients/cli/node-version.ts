/** The oldest supported Node, as in package.json. Older versions have no `tls.setDefaultCACertificates`. */
const OLDEST = "22.19.0";

/** The message for an unsupported Node version. */
export function nodeProblem(version: string): string | undefined {
  const older = version.localeCompare(OLDEST, "en", { numeric: true }) < 0;
  return older ? `gte requires Node ${OLDEST} or newer. This is Node ${version}.` : undefined;
}
