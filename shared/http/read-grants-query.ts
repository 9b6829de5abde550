/** Reads which grants a list shall have: `?after=`, and `?expiringWithinDays=` from 1 to 366. Pure. */
import type { Failure } from "../core/failure.ts";
import { fail, type Result, succeed } from "../core/result.ts";

const EXPIRING_DAYS_MAX = 366;
const DAY_SECONDS = 24 * 3600;

export interface GrantsQuery {
  /** `next` of the previous page. */
  readonly after: string | undefined;
  /** Only grants that end at this time or before, seconds since 1970. */
  readonly endingBySeconds: number | undefined;
}

export function readGrantsQuery(query: URLSearchParams, nowSeconds: number): Result<GrantsQuery, Failure> {
  const after = query.get("after") || undefined;
  const [text, ...more] = query.getAll("expiringWithinDays");
  if (text === undefined) return succeed({ after, endingBySeconds: undefined });
  const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0;
  if (more.length > 0) return refuse("parameter_repeated");
  if (days < 1 || days > EXPIRING_DAYS_MAX) return refuse("parameter_invalid");
  return succeed({ after, endingBySeconds: nowSeconds + days * DAY_SECONDS });
}

// ---------------------------------------------------------------------------------------------------------------

function refuse(problem: "parameter_repeated" | "parameter_invalid"): Result<never, Failure> {
  const hint = problem === "parameter_invalid" ? { hint: { supported: [`1 to ${EXPIRING_DAYS_MAX}`] } } : {};
  return fail({ kind: "request_invalid", problem, parameter: "expiringWithinDays", ...hint });
}
