/** `npm run fuzz -- --seconds N --seed S`: fuzzes every route for that long. The default is a minute and a new seed. */
import { runSeeded } from "../support/run-seeded.ts";

runSeeded({ name: "fuzz", unit: "seconds", long: "60", timeoutMs: (seconds) => seconds * 1_000 + 120_000 });
