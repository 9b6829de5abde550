/** Text with placeholders `{{NAME}}`, as its parts. */
export type TextPart = { readonly text: string } | { readonly variable: string };

function partsOf(text: string): readonly TextPart[] {
  return text.split(/(\{\{[A-Z_]+\}\})/).flatMap((part): TextPart[] => {
    const [, variable] = /^\{\{([A-Z_]+)\}\}$/.exec(part) ?? [];
    if (variable !== undefined) return [{ variable }];
    return part === "" ? [] : [{ text: part }];
  });
}

export function hasVariable(text: string): boolean {
  return partsOf(text).some((part) => "variable" in part);
}

/** Writes each part in the way of a language, and joins them. */
export function joinParts(text: string, literal: (text: string) => string, variable: (name: string) => string): string {
  return partsOf(text)
    .map((part) => ("variable" in part ? variable(part.variable) : literal(part.text)))
    .join("");
}

export function fill(text: string, values: ReadonlyMap<string, string>): string {
  return joinParts(
    text,
    (same) => same,
    (name) => values.get(name) ?? "",
  );
}
