// The frame of the admin pages: the way round them, and forms that change in place.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import { Layout } from "../../layout.tsx";
import type { Shell } from "../../model.ts";
import { text } from "../../text.ts";

/** The admin pages' own navigation, in its order. */
const ROOMS = ["machines", "access"] as const;
export type AdminRoom = (typeof ROOMS)[number];

export type AdminProps = {
  shell: Shell;
  room: AdminRoom;
  title: string;
  children: ComponentChildren;
};

/** With scripts a form's answer takes the place of `main`; without, it is the next page. The HTML is the same. */
export function AdminFrame({ shell, room, title, children }: AdminProps) {
  return (
    <Layout shell={shell} title={title} theme="office" here="admin" scripts={["htmx.js", "admin.js"]}>
      <main
        id="main"
        class="admin"
        hx-boost="true"
        hx-target="#main"
        hx-select="#main"
        hx-swap="outerHTML show:none"
      >
        <nav class="nav rooms" aria-label={text.admin.rooms}>
          {ROOMS.map((one) => (
            <a key={one} href={`/admin/${one}`} aria-current={one === room ? "page" : undefined}>
              {text.admin[one]}
            </a>
          ))}
        </nav>
        {children}
      </main>
    </Layout>
  );
}

/** A short word that something was done: read out, and gone with the next page. */
export function Done({ children }: { children: ComponentChildren }) {
  return (
    <p class="done" role="status">
      {children}
    </p>
  );
}
