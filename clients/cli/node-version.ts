/** The oldest Node that this runs on, as in package.json: older ones cannot be told of further certificates. */
const OLDEST = "22.19.0";

/** What is wrong with this Node, if anything. */
export function nodeProblem(version: string): string | undefined {
  const older = version.localeCompare(OLDEST, "en", { numeric: true }) < 0;
  return older ? `This needs Node ${OLDEST} or newer, and found ${version}.` : undefined;
}
