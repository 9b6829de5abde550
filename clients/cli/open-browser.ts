/** Opens a URL in the person's browser without a shell. The variable `BROWSER` names another program to start. */
import { spawn } from "node:child_process";
import type { Terminal } from "./terminal.ts";

export function openBrowser(url: string, terminal: Terminal): Promise<void> {
  terminal.note(`Opening the browser. If it does not open, go to this address:\n${url}`);
  const [program, ...args] = openerFor(terminal.env["BROWSER"]);
  return new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: "ignore", detached: true });
    child.on("error", () => {
      terminal.note("The browser could not be started.");
      resolve();
    });
    child.on("spawn", () => {
      child.unref();
      resolve();
    });
  });
}

function openerFor(chosen: string | undefined): [string, ...string[]] {
  if (chosen) return [chosen];
  if (process.platform === "darwin") return ["open"];
  return process.platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler"] : ["xdg-open"];
}
