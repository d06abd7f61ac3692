// Every word on the screens, in the language of whoever looks.
import { english } from "./text/en.ts";
import { russian } from "./text/ru.ts";

export type Text = typeof english;

/** The bundler sets it: a file for the browser holds the words of one language. */
declare const BROWSER_LANGUAGE: string;

/** In a file for the browser the bundler leaves out what the conditions leave out: the other language. */
const CATALOGUES: Record<Language, Text> =
  typeof BROWSER_LANGUAGE === "undefined"
    ? { en: english, ru: russian }
    : BROWSER_LANGUAGE === "en"
      ? { en: english, ru: english }
      : { en: russian, ru: russian };

export const LANGUAGES = ["en", "ru"] as const;
export type Language = (typeof LANGUAGES)[number];

/** The words; `speak` changes them for all who import them. */
export let text: Text = CATALOGUES.en;

/** Renders what follows in this language: a page is made in one go, so no other comes between. */
export function speak(language: Language): void {
  text = CATALOGUES[language];
}

/** Names of the reasons that a plant may start from: they become the plant's own words. */
export type StarterWords = Text["reasons"]["starterWords"];
export const starterWords = (language: Language): StarterWords => CATALOGUES[language].reasons.starterWords;

/** What the API says in English, in the reader's words. */
export const phrase = (english: string): string => text.phrases[english] ?? english;
