/** The language of a page, from `Accept-Language` (RFC 9110 section 12.5.4). Pure. */

export const LANGUAGES = ["en", "de"] as const;
export type Language = (typeof LANGUAGES)[number];

/** A browser sends a few languages. More are ignored. */
const RANGES_MAX = 20;

/** The language with the highest weight that the pages have; of equal weights, the first. English if the pages have none of them. */
export function languageOf(acceptLanguage: string | null): Language {
  let best: { readonly language: Language; readonly weight: number } | undefined;
  for (const range of (acceptLanguage ?? "").split(",", RANGES_MAX)) {
    const [tag = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const language = LANGUAGES.find((one) => tag === one || tag.startsWith(`${one}-`));
    const weight = weightOf(parameters);
    if (language !== undefined && weight > (best?.weight ?? 0)) {
      best = { language, weight };
    }
  }
  return best?.language ?? "en";
}

// ------------------------------------------------------------------------------------------------------------------

function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  if (text === undefined) return 1;
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : 0;
}
