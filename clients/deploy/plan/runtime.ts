/**
 * Which version of Node.js the app gets. Azure takes a version that the region does not have, and every start of an
 * instance then fails without naming the version: https://github.com/Azure/Azure-Functions/issues/2666. Pure.
 */
const FALLBACK = "22";

export type RuntimeChoice =
  | { readonly kind: "wanted" }
  | { readonly kind: "fallback"; readonly version: string; readonly notice: string }
  | { readonly kind: "none"; readonly problem: string };

export function chooseRuntime(wanted: string, offered: readonly string[], location: string): RuntimeChoice {
  if (offered.includes(wanted)) return { kind: "wanted" };
  if (Number(wanted) > Number(FALLBACK) && offered.includes(FALLBACK)) {
    const notice = `${location} does not offer Node.js ${wanted} yet. The app gets Node.js ${FALLBACK}.`;
    return { kind: "fallback", version: FALLBACK, notice };
  }
  const list = offered.length === 0 ? "no version of Node.js" : `Node.js ${offered.join(" and ")}`;
  return {
    kind: "none",
    problem: `${location} offers ${list} for Flex Consumption, and the app needs ${wanted}. Choose another region.`,
  };
}
