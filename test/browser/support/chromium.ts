/**
 * A real browser, because no library behaves like one: cookies, redirects, content security policy, framing, the back
 * button. The tests use the installed Chromium with playwright-core, which downloads no browser.
 */
import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { type TestContext, test } from "vitest";

const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
/** Undefined if the browser is installed. */
const missing = existsSync(executablePath)
  ? undefined
  : `${executablePath} does not exist. Install Chromium (apt-get install chromium) or set CHROMIUM_PATH.`;

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
  process.stderr.write(`\n*** BROWSER TESTS SKIPPED: ${missing}\n\n`);
}

/** False without a browser, unless REQUIRE_ALL_CHECKS requires one. The tests are then skipped with the reason. */
export const hasBrowser = missing === undefined;

if (!hasBrowser && process.env["REQUIRE_ALL_CHECKS"] === "1") throw new Error(missing);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

/**
 * A test with a new browser context, without cookies and history, that accepts the local tenant's certificate. The tests
 * of a concurrent suite share the browser.
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
