/** The version in the package of the command line. */
import packageJson from "./package.json" with { type: "json" };

export const VERSION: string = packageJson.version;
