/**
 * The versions of a policy in a blob. Requests and the watch timer bring newer versions: nothing runs while an instance
 * is idle. A version takes effect as a whole, for the requests that begin after it; an invalid one is refused as a whole,
 * and the last good one stays.
 *
 *   the blob was read             the version in use
 *   less than 30 s ago            is used
 *   less than a minute ago        is used, while the blob is read again
 *   earlier, or never             is used after a read, for which the request waits at most 3 s
 *
 * So a change is in effect on every instance after a minute, on an idle one with its next request. If the blob cannot be
 * read, the last good version stays for as long as that lasts.
 */
import type { OperatorLog } from "../../shared/audit/operator-log.ts";
import type { Config, PolicyLocation } from "../../shared/config/config.ts";
import { createBackgroundRefresh } from "../../shared/core/background-refresh.ts";
import type { PolicyDocument, PolicyReadFailure, PolicySource } from "../../shared/policy-source/policy-source.ts";
import type { PolicyState } from "./policy-state.ts";

/** Two reads a minute for each busy instance: a fraction of what a storage account serves in a second. */
const POLICY_FRESH_MS = 30_000;
/** The promise to administrators: a change is in effect after this time. */
const POLICY_OVERDUE_MS = 60_000;
/** Pause after a failed first read, when the service answers only 503. */
const FIRST_RETRY_MS = 5_000;
/** In an operator event. The first problems of a policy usually explain the others. */
const PROBLEMS_MAX = 20;

export interface PolicyVersions<Version> {
  /** For a new request or run of a timer. */
  forRequest(): Version | Promise<Version>;
  /** Without a read. */
  latest(): Version;
}

export interface PolicyVersionsInput<Version> {
  readonly source: PolicySource;
  readonly configFor: Extract<PolicyLocation, { kind: "blob" }>["configFor"];
  /** Makes a version. Undefined: no policy is loaded yet. */
  readonly create: (config: Config | undefined, state: () => PolicyState) => Version;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  readonly operatorLog: OperatorLog;
}

/** Begins the first read at once. */
export function createPolicyVersions<Version>(input: PolicyVersionsInput<Version>): PolicyVersions<Version> {
  const { source, configFor, create, nowMs, operatorLog } = input;
  let state: PolicyState = { state: "unavailable", hash: undefined, reason: "not_read_yet" };
  const stateOf = () => state;
  let version = create(undefined, stateOf);
  let etag: string | undefined;
  /** What is wrong with the newest version that was read. Undefined: it is in use. */
  let problems: readonly string[] | undefined;
  let lastReadMs = 0;

  const report = (name: string, details: Record<string, string>) =>
    operatorLog.add({ event: "policy", name, ...(state.hash === undefined ? {} : { policy: state.hash }), ...details });
  const adopt = (document: PolicyDocument): void => {
    const parsed = configFor(document.text);
    etag = document.etag;
    problems = parsed.ok ? undefined : parsed.failure;
    if (!parsed.ok) {
      report("refused", { problems: parsed.failure.slice(0, PROBLEMS_MAX).join("; ") });
    } else if (parsed.value.policyHash !== state.hash) {
      const previous = state.hash;
      version = create(parsed.value, stateOf);
      state = { state: "ok", hash: parsed.value.policyHash };
      report("loaded", previous === undefined ? {} : { previous });
    }
  };
  const fallBack = (reason: PolicyReadFailure | "unexpected"): void => {
    if (state.reason !== reason) report("unavailable", { reason });
    state = { state: "unavailable", hash: state.hash, reason };
  };
  const onRead = (read: PolicyDocument | "unchanged"): void => {
    const wasUnavailable = state.reason !== undefined && state.hash !== undefined;
    if (read !== "unchanged") adopt(read);
    if (wasUnavailable) report("available", {});
    const { hash } = state;
    state = problems === undefined ? { state: "ok", hash } : { state: "refused", hash, problems };
  };
  const attempt = async (): Promise<void> => {
    try {
      const read = await source.read(etag);
      read.ok ? onRead(read.value) : fallBack(read.failure);
    } catch {
      // An unknown fault in this code must not take the last good version away.
      fallBack("unexpected");
    }
    lastReadMs = nowMs();
    refresh.pause(state.hash === undefined ? FIRST_RETRY_MS : POLICY_FRESH_MS);
  };
  const refresh = createBackgroundRefresh({ attempt, nowMs, pauseMaxMs: POLICY_FRESH_MS });
  refresh.startIfDue();

  return {
    latest: () => version,
    forRequest() {
      if (!refresh.isDue() && !refresh.isRunning()) return version;
      const mustWait = state.hash === undefined || nowMs() - lastReadMs > POLICY_OVERDUE_MS;
      if (!mustWait) {
        refresh.startIfDue();
        return version;
      }
      return (refresh.runIfDue() ?? Promise.resolve()).then(() => version);
    },
  };
}
