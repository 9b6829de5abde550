/** What ends a command: an exit code, a stable word for programs, a sentence for people, and what to run next. */
import { EXIT, type ExitCode } from "./exit-codes.ts";

export interface FailureDetail {
  /** A command that would help: `gte …`, written in the form in which this was started. */
  readonly run?: string;
  /** From the service's answer, to quote to its operator. */
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

export function usage(message: string): CliFailure {
  return new CliFailure(EXIT.usage, "usage", message, { run: "gte --help" });
}

export function settingsProblem(message: string, detail: FailureDetail = {}): CliFailure {
  return new CliFailure(EXIT.usage, "settings", message, detail);
}

/** One line of text from outside, fit for a terminal: no control characters, not endless. */
export function oneLine(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}]+/gu, " ").trim();
  return clean.length > 500 ? `${clean.slice(0, 500)}…` : clean;
}
