// A sheet over the page, opened by a button with `data-open`: the browser's own dialog, closed by Escape or its button.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import { text } from "../../text.ts";

export function Sheet({
  name,
  title,
  children,
}: {
  name: string;
  title: string;
  children: ComponentChildren;
}) {
  return (
    <dialog class="sheet" id={`sheet-${name}`} aria-labelledby={`sheet-${name}-title`}>
      <header>
        <h2 id={`sheet-${name}-title`}>{title}</h2>
        <button type="button" data-close>
          {text.entry.close}
        </button>
      </header>
      {children}
    </dialog>
  );
}
