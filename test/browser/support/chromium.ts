/**
 * A real browser, for what no library can vouch for: cookies, redirects, content security policy, framing, the back
 * button. Debian's Chromium, driven by playwright-core, which downloads nothing.
 */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { type TestContext, test } from "vitest";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
/** Undefined when the browser is there. */
const missing = existsSync(executablePath)
  ? undefined
  : `no browser: ${executablePath} is missing (apt-get install chromium, or set CHROMIUM_PATH)`;

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

if (missing !== undefined) {
  process.stderr.write(`\n*** BROWSER TESTS DO NOT RUN: ${missing}\n\n`);
}

/** False where there is no browser and none is required; the tests then skip themselves and say why. */
export const hasBrowser = missing === undefined;

if (!hasBrowser && process.env["REQUIRE_ALL_CHECKS"] === "1") throw new Error(missing);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * A test with a browser context of its own: no cookies, no history. The tenant's certificate is the local one. Tests of
 * a concurrent suite share the one browser at the same time.
 */
export function browserTest(
  name: string,
  browser: () => Browser | undefined,
  run: (context: BrowserContext) => Promise<void>,
): void {
  test(name, async (vitest: TestContext) => {
    const launched = browser();
    if (launched === undefined) return vitest.skip(missing);
    const context = await launched.newContext({ ignoreHTTPSErrors: true });
    context.setDefaultTimeout(30_000);
    try {
      await run(context);
    } finally {
      await context.close();
    }
  });
}
