/** The failure of a command: an exit code, a stable code for programs, a message for people, and the command to run next. */
import { EXIT, type ExitCode } from "./exit-codes.ts";

export interface FailureDetail {
  /** The command to run next, beginning with `gte`. `run.ts` replaces `gte` with the command that started this program. */
  readonly run?: string;
  /** From the service's response. The operator finds the request in the audit log with it. */
  readonly correlationId?: string;
  readonly cause?: unknown;
}

export class CliFailure extends Error {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly run: string | undefined;
  readonly correlationId: string | undefined;

  constructor(exitCode: ExitCode, code: string, message: string, detail: FailureDetail = {}) {
    super(message, { cause: detail.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.run = detail.run;
    this.correlationId = detail.correlationId;
  }
}

export function usageFailure(message: string, run = "gte --help"): CliFailure {
  return new CliFailure(EXIT.usage, "usage", message, { run });
}

export function settingsFailure(message: string, detail: FailureDetail = {}): CliFailure {
  return new CliFailure(EXIT.usage, "settings", message, detail);
}

/** Makes received text safe for a terminal: one line, no control characters, at most 500 characters. */
export function oneLine(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean;
}
