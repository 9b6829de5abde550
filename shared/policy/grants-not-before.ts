/** Which grants are too old for the policy (`grantsNotBefore`). Pure. */
import type { CallerRule, Policy } from "./rules.ts";

/**
 * Whether the policy counts a grant of this entry no longer. A time in the future has no effect until it is reached, so
 * that a grant which a person allows again always works.
 */
export function isTooOld(
  { grantsNotBefore }: Pick<Policy, "grantsNotBefore">,
  entry: Pick<CallerRule, "grantsNotBefore"> | undefined,
  { allowedAtSeconds, nowSeconds }: { readonly allowedAtSeconds: number; readonly nowSeconds: number },
): boolean {
  return [grantsNotBefore, entry?.grantsNotBefore].some((time) => {
    const seconds = time === undefined ? Number.POSITIVE_INFINITY : Date.parse(time) / 1_000;
    return seconds <= nowSeconds && allowedAtSeconds <= seconds;
  });
}
