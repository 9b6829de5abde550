/**
 * The app's entry (`main` in package.json): configuration, composition, registration. A wrong configuration throws here,
 * before any function exists, and the host refuses to start.
 */
import { configFromEnvironment } from "../shared/config/environment.ts";
import { compose, realSurroundings } from "./composition/compose.ts";
import { register } from "./register.ts";

register(compose(configFromEnvironment(), realSurroundings()));
