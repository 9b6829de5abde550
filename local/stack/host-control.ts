/**
 * Controls the Functions host of a stack: starts it with the stack's settings, restarts it on the same port (with changed
 * settings or a changed app) and stops it. It also reports a host that ends unexpectedly.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type HostProcess, type ListeningHost, listenAsHost } from "../host/host-process.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export type SettingOverrides = Readonly<Record<string, string | undefined>>;

export interface HostControlOptions {
  appDirectory: string;
  /** 0: any free port. */
  port: number;
  /** The path of the certificates that the service trusts. Node reads it when it starts. */
  caCertPath: string;
  overrides: SettingOverrides;
  waitForReady: boolean;
  onLine: ((line: string) => void) | undefined;
  onUnexpectedEnd: (what: string) => void;
}

/** The stack's settings for the service, with these changes. */
export type SettingsSource = (overrides: SettingOverrides) => Record<string, string>;

export interface HostControl {
  /** The host listens on it from the beginning, also while it waits for its settings. */
  readonly port: number;
  /** The running host. Throws between stop and start. */
  current(): HostProcess;
  /** Call it once, when the settings are known. */
  start(settings: SettingsSource): Promise<void>;
  restart(changes: SettingOverrides): Promise<void>;
  stop(): Promise<void>;
}

/** The host listens when this resolves. It does not run the app before `start`. */
export async function createHostControl(options: HostControlOptions): Promise<HostControl> {
  let overrides = options.overrides;
  let settings: SettingsSource = () => ({});
  let listening: ListeningHost | undefined = await listenOnPort(options, options.port, overrides);
  let host: HostProcess | undefined;
  const { port } = listening;

  const current = () => {
    if (host === undefined) throw new Error("The Functions host is not running.");
    return host;
  };
  const stop = async () => {
    const ending = host ?? listening;
    host = undefined;
    listening = undefined;
    await ending?.stop();
  };
  const run = async () => {
    listening ??= await listenAgain(() => listenOnPort(options, port, overrides));
    const started = await listening.run({ NODE_EXTRA_CA_CERTS: options.caCertPath, ...settings(overrides) });
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
    port,
    current,
    start: (source) => {
      settings = source;
      return run();
    },
    stop,
    restart: async (changes) => {
      overrides = { ...overrides, ...changes };
      await stop();
      await run();
    },
  };
}

// ---------------------------------------------------------------------------------------------------------------

function listenOnPort(
  { appDirectory, caCertPath, onLine }: HostControlOptions,
  port: number,
  overrides: SettingOverrides,
): Promise<ListeningHost> {
  const known = Object.entries({ NODE_EXTRA_CA_CERTS: caCertPath, ...overrides });
  const settings = Object.fromEntries(known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return listenAsHost({ appDirectory, port, settings, ...(onLine && { onLine }) });
}

const RESTART_MS = 15_000;

/** Between stop and start, an outgoing connection of any process can use the port for a moment. */
async function listenAgain(listen: () => Promise<ListeningHost>): Promise<ListeningHost> {
  const end = performance.now() + RESTART_MS;
  for (;;) {
    try {
      return await listen();
    } catch (error) {
      const taken = error instanceof Error && error.message.includes("EADDRINUSE");
      if (!taken || performance.now() > end) throw error;
      await pause(200);
    }
  }
}
