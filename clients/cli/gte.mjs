#!/usr/bin/env node
/** `gte` in the checkout: runs the sources. The package contains the bundle instead. */
import "../../local/build/require-node.mjs";

await import("./main.ts");
