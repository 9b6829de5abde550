/**
 * Controls the Functions host of a stack: starts it with the stack's settings, restarts it on the same port (with changed
 * settings or a changed app) and stops it. It also reports a host that ends unexpectedly.
 */
import { type HostProcess, startHostProcess } from "../host/host-process.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export type SettingOverrides = Readonly<Record<string, string | undefined>>;

export interface HostControlOptions {
  appDirectory: string;
  port: number;
  settings: (overrides: SettingOverrides) => Record<string, string>;
  overrides: SettingOverrides;
  waitForReady: boolean;
  onLine: ((line: string) => void) | undefined;
  onUnexpectedEnd: (what: string) => void;
}

export interface HostControl {
  /** The running host. Throws between stop and start. */
  current(): HostProcess;
  start(): Promise<void>;
  restart(changes: SettingOverrides): Promise<void>;
  stop(): Promise<void>;
}

export function createHostControl(options: HostControlOptions): HostControl {
  let overrides = options.overrides;
  let host: HostProcess | undefined;

  const current = () => {
    if (host === undefined) throw new Error("The Functions host is not running.");
    return host;
  };
  const stop = async () => {
    const ending = host;
    host = undefined;
    await ending?.stop();
  };
  const start = async () => {
    const { appDirectory, port, onLine } = options;
    const settings = options.settings(overrides);
    const started = await startHostProcess({ appDirectory, port, settings, ...(onLine && { onLine }) });
    host = started;
    void started.exited.then(({ code, signal }) => {
      if (host === started) {
        const how = signal ?? `exit code ${code}`;
        options.onUnexpectedEnd(`The Functions host ended (${how}):\n${started.logs.tail(20)}`);
      }
    });
    if (options.waitForReady) {
      await waitUntilReady(started.url, started);
    }
  };
  return {
    current,
    start,
    stop,
    restart: async (changes) => {
      overrides = { ...overrides, ...changes };
      await stop();
      await start();
    },
  };
}
