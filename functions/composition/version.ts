/** Replaced by `npm run build`: the version in package.json and the commit, for example `0.1.0+1f3a9c2b7d04`. */
declare const SERVICE_VERSION: string | undefined;

/** Which build runs. `development` in a test that runs the sources. */
export const serviceVersion: string = typeof SERVICE_VERSION === "string" ? SERVICE_VERSION : "development";
