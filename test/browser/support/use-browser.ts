/** The fixture of the browser tests: one browser and one stack for a test file. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { current } from "../../support/use-tenant.ts";
import { browserTest, hasBrowser, launchBrowser } from "./chromium.ts";
import { watchedPage } from "./page-checks.ts";
import { type Scene, type SceneOptions, startScene } from "./scene.ts";

export interface BrowserFixture {
  readonly scene: Scene;
  /** Undefined without an installed browser: the tests are skipped. */
  readonly browser: () => Browser | undefined;
  inBrowser(name: string, run: (context: BrowserContext) => Promise<void>): void;
  newPage(context: BrowserContext): Promise<{ readonly page: Page; readonly browserErrors: string[] }>;
}

/** Call it once, at the top of a test file. */
export function useBrowser(options: SceneOptions = {}): BrowserFixture {
  let scene: Scene | undefined;
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (hasBrowser) {
      [browser, scene] = await Promise.all([launchBrowser(), startScene(options)]);
    }
  });
  afterAll(async () => {
    await browser?.close();
    await scene?.stop();
  });
  const started = current(() => scene);
  return {
    scene: started,
    browser: () => browser,
    inBrowser: (name, run) => browserTest(name, () => browser, run),
    newPage: (context) => watchedPage(context, started.stack.service.url),
  };
}
