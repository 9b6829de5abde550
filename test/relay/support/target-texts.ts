/** Texts that look like paths with queries, made of what path attacks are made of. */
import fc from "fast-check";

const PARTS = [
  ..."/ // . .. ... %2e %2E%2e %252e %2f %2F %252f %5c \\ ; %3b ? %3f & = # %23 % %% %25 + %20 : @ $ ' ( ) * , ! ~ - _".split(
    " ",
  ),
  "%00 %0a %c0%af %e2%80%8b %ef%bc%8e \u{ff0e} \u{ff0f} \u{2025} \u{2215} \u{212a} \u{130} \u{202e} \u{d800} ä 日".split(
    " ",
  ),
  "v1.0 V1.0 beta BETA me ME Me messages Messages users users('x') $batch $BATCH $value $entity root: a A %61 %41 id=1 $top".split(
    " ",
  ),
  "https: http:// //evil.example evil.example user@ :443 \t \r\n".split(" "),
].flat();

const mixed = fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join(""));
const asPath = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 6 })
  .map((parts) => `/v1.0/me/messages/${parts.join("/")}`);
const asQuery = fc.tuple(mixed, mixed).map(([path, query]) => `/v1.0/${path}?${query}`);

export const targetTexts = fc.oneof(
  mixed,
  asPath,
  asQuery,
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.webPath().map((path) => path || "/"),
);
