/** `npm run soak -- --minutes N --seed S`. The default is one minute and a new seed. */
import { runSeeded } from "../test/support/run-seeded.ts";

// The last check of every grant comes after the minutes.
runSeeded({ name: "soak", unit: "minutes", long: "1", timeoutMs: (minutes) => minutes * 60_000 * 2 + 300_000 });
