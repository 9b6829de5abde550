/** What every page must be: free of findings of axe-core, free of errors in the browser's console, no wider than its window. */
import { join } from "node:path";
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";

const SIZES = { phone: { width: 360, height: 740 }, desktop: { width: 1_280, height: 900 } } as const;

/** A new page, and the errors that the browser reports about pages of `serviceUrl`. */
export async function watchedPage(
  context: BrowserContext,
  serviceUrl: string,
): Promise<{ readonly page: Page; readonly browserErrors: string[] }> {
  const page = await context.newPage();
  const browserErrors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" && page.url().startsWith(serviceUrl)) browserErrors.push(message.text());
  });
  page.on("pageerror", (error) => browserErrors.push(error.message));
  return { page, browserErrors };
}

/** Checks the page on a phone and on a desktop, in light and in dark. Saves screenshots if SCREENSHOTS_DIR is set. */
export async function checkPage(page: Page, name: string): Promise<void> {
  for (const [device, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    for (const colorScheme of ["light", "dark"] as const) {
      // Without motion: a fading text has not its colour yet.
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(size.width);
      expect(await violationsOf(page), `${name} ${device} ${colorScheme}`).toEqual([]);
      const folder = process.env["SCREENSHOTS_DIR"];
      if (folder !== undefined) {
        await page.screenshot({ fullPage: true, path: join(folder, `${name}-${device}-${colorScheme}.png`) });
      }
    }
  }
}

// ------------------------------------------------------------------------------------------------------------------

/** Through the debugger, which the page's Content Security Policy does not restrict. */
async function violationsOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  const { violations } = found as { violations: { id: string; nodes: { html: string }[] }[] };
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
