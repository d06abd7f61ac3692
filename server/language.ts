// The language of whoever looks: what they chose, or what their browser asks for.
import Negotiator from "negotiator";
import { LANGUAGES, type Language } from "../views/index.ts";
import { cookieOf } from "./plugins/auth.ts";

const COOKIE = "mtc_language";
const YEAR_S = 365 * 24 * 3_600;

const isLanguage = (word: string | undefined): word is Language => LANGUAGES.some((one) => one === word);

export function languageOf(request: Request): Language {
  const chosen = cookieOf(request, COOKIE);
  if (isLanguage(chosen)) return chosen;
  const accepted = request.headers.get("accept-language") ?? undefined;
  const [best] = new Negotiator({ headers: { "accept-language": accepted } }).languages([...LANGUAGES]);
  return isLanguage(best) ? best : LANGUAGES[0];
}

/** The header that remembers a choice. */
export const languageCookie = (language: Language): string =>
  `${COOKIE}=${language}; Path=/; SameSite=Lax; Max-Age=${YEAR_S}`;
