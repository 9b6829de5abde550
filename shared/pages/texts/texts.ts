/** The texts of the pages by language. */
import type { Language } from "../language.ts";
import { DE } from "./de.ts";
import { EN, type Texts } from "./en.ts";

export const TEXTS: Readonly<Record<Language, Texts>> = { en: EN, de: DE };
