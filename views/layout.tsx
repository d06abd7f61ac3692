// The frame of every page: head, header with the way round, and what the browser code needs to know.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import { type AssetName, assetPath } from "./assets.ts";
import { Sprite } from "./components/state.tsx";
import type { Shell } from "./model.ts";
import { LANGUAGES, text } from "./text.ts";
import { VERSION } from "./version.ts";

/** No eval, no inline style, nothing kept in the browser's storage: going back asks the server again. */
const HTMX_CONFIG = JSON.stringify({
  allowEval: false,
  includeIndicatorStyles: false,
  allowScriptTags: false,
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
  timeout: 15_000,
  // A form with what is wrong in it is a page like any other.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "4(01|09|22)", swap: true },
    { code: "...", swap: false, error: true },
  ],
});

export type LayoutProps = {
  shell: Shell;
  title: string;
  /** `hmi` is dark always; `office` follows the reader's light or dark. */
  theme: "hmi" | "office";
  /** The entry of the navigation this page belongs to. */
  here?: "wall" | "dashboard" | "admin" | "account";
  scripts: readonly AssetName[];
  /** The page fills a large screen exactly and does not scroll as a whole. */
  kiosk?: boolean;
  /** What stands in the header between the navigation and the user. */
  header?: ComponentChildren;
  children: ComponentChildren;
};

export function Layout({ shell, title, theme, here, scripts, kiosk, header, children }: LayoutProps) {
  return (
    <html
      lang={text.language}
      data-theme={theme}
      data-timezone={shell.timezone}
      data-now={shell.now_ms}
      data-user={shell.caller_id}
      data-version={VERSION}
    >
      <head>
        <meta charset="utf-8" />
        <title>{`${title} · ${shell.plant}`}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
        <meta name="color-scheme" content={theme === "hmi" ? "dark" : "light dark"} />
        <meta name="htmx-config" content={HTMX_CONFIG} />
        <link rel="icon" type="image/svg+xml" href={assetPath("favicon.svg")} />
        {theme === "hmi" && <link rel="manifest" href="/manifest.webmanifest" />}
        <link rel="stylesheet" href={assetPath("app.css")} />
        {(here === "admin" || here === "account") && <link rel="stylesheet" href={assetPath("admin.css")} />}
        {scripts.map((script) => (
          <script
            key={script}
            type={script === "htmx.js" ? undefined : "module"}
            defer
            src={assetPath(script)}
          />
        ))}
      </head>
      <body class={kiosk ? "kiosk" : undefined}>
        <a class="skip" href="#main">
          {text.nav.skip}
        </a>
        <Sprite />
        <header class="bar">
          <a class="brand" href="/hmi">
            {shell.plant}
          </a>
          {shell.user !== null && <Navigation here={here} isAdmin={shell.may.admin} />}
          <div class="bar-middle">{header}</div>
          <div class="bar-user">
            <LanguageSwitch shell={shell} />
            {shell.user !== null && (
              <form method="post" action="/sign-out">
                <a class="user" href="/account" aria-current={here === "account" ? "page" : undefined}>
                  {shell.user}
                </a>
                <button type="submit">{text.nav.signOut}</button>
              </form>
            )}
          </div>
        </header>
        {children}
      </body>
    </html>
  );
}

function Navigation({ here, isAdmin }: { here: LayoutProps["here"]; isAdmin: boolean }) {
  const entry = (to: LayoutProps["here"], href: string, name: string) => (
    <a href={href} aria-current={here === to ? "page" : undefined}>
      {name}
    </a>
  );
  return (
    <nav class="nav" aria-label={text.nav.main}>
      {entry("wall", "/hmi", text.nav.wall)}
      {entry("dashboard", "/dashboard", text.nav.dashboard)}
      {isAdmin && entry("admin", "/admin", text.nav.admin)}
    </nav>
  );
}

/** One button for each language, in its own letters; leads back to the same page. */
function LanguageSwitch({ shell }: { shell: Shell }) {
  return (
    <form class="languages" method="post" action="/language" aria-label={text.nav.language}>
      {LANGUAGES.map((language) => (
        <button
          key={language}
          type="submit"
          name="language"
          value={language}
          lang={language}
          aria-pressed={language === shell.language}
        >
          {language.toUpperCase()}
        </button>
      ))}
    </form>
  );
}

/** The band over a live page while its connection is down, and the plain note where scripts are off. */
export function LinkBand() {
  return (
    <>
      <div class="band" data-band hidden>
        <span role="alert" data-band-words /> <span data-band-age />
      </div>
      <noscript>
        <p class="band">{text.link.noScript}</p>
      </noscript>
    </>
  );
}
