/** Replaces the system browser: opens the URL, signs PERSON in with PASSWORD and follows the redirect. */
import { createScriptedBrowser } from "../../local/tenant/scripted-browser.ts";

const page = await createScriptedBrowser().open(process.argv[2] ?? "");
const signInPage = await page.press(`account-${process.env["PERSON"]}`);
const nextPage = await signInPage.press("sign-in", { password: process.env["PASSWORD"] ?? "" });
await nextPage.press("continue");
