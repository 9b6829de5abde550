/**
 * The entry point (`main` in package.json): configuration, composition, registration. An invalid configuration throws
 * here, before any function is registered, and the service does not start.
 */
import { configFromEnvironment } from "../shared/config/environment.ts";
import { compose, realSurroundings } from "./composition/compose.ts";
import { register } from "./register.ts";

register(compose(configFromEnvironment(), realSurroundings()));
