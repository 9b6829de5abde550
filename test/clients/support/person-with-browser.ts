/** Stands in for the system browser: opens the address, signs PERSON in with PASSWORD, goes where the answer points. */
import { createScriptedBrowser } from "../../local/tenant/scripted-browser.ts";

const page = await createScriptedBrowser().open(process.argv[2] ?? "");
const asked = await page.press(`account-${process.env["PERSON"]}`);
const answered = await asked.press("sign-in", { password: process.env["PASSWORD"] ?? "" });
await answered.press("continue");
