/** The example's values that a maker has to replace. */
import { EXAMPLE_HOST } from "../../docs/reference/openapi/connector-definition.ts";

/** The first text that still has one. */
export function placeholderIn(texts: readonly string[]): string | undefined {
  return texts.find((text) => /<[^>]+>/.test(text) || text.includes(EXAMPLE_HOST));
}
