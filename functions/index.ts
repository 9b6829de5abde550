/**
 * The entry point (`main` in package.json): configuration, composition, registration. An invalid configuration throws
 * here, before any function is registered, and the service does not start.
 */
import { configurationFromEnvironment } from "../shared/config/environment.ts";
import { composeService, realSurroundings } from "./composition/compose.ts";
import { composeFoundation } from "./composition/foundation.ts";
import { composeVersions } from "./composition/start.ts";
import { createVersion, register, registerVersions } from "./register.ts";

const { fixed, policy } = configurationFromEnvironment();
const foundation = composeFoundation(fixed, realSurroundings());
if (policy.kind === "setting") {
  register(composeService(foundation, policy.config));
} else {
  registerVersions(composeVersions(foundation, policy, createVersion));
}
