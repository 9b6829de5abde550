/**
 * Ports for a program that cannot listen on port 0 and report the port, such as Redis. The program itself decides whether
 * a port is free: if it refuses the port, another one is tried. The ports are below those of outgoing connections (Linux:
 * from 32768), so that a port stays free while the program restarts.
 */
import { randomInt } from "node:crypto";

/** The program could not listen on the port. */
export class PortInUse extends Error {}

const LOWEST = 12_000;
const HIGHEST = 32_000;
const ATTEMPTS = 20;

export async function tryPorts<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(randomInt(LOWEST, HIGHEST));
    } catch (error) {
      if (!(error instanceof PortInUse) || attempt === ATTEMPTS) throw error;
    }
  }
}
