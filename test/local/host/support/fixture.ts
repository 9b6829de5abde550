/**
 * Starts the local host on one of the fixture apps.
 */
import { join } from "node:path";
import { type HostProcess, startHostProcess } from "../../../../local/host/host-process.ts";

export function startFixture(name: string, settings: Record<string, string> = {}): Promise<HostProcess> {
  return startHostProcess({ appDirectory: fixtureFolder(name), port: 0, settings });
}

export function fixtureFolder(name: string): string {
  return join(import.meta.dirname, "../fixtures", name);
}
