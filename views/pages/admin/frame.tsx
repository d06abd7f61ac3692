// The frame of the admin pages: the way round them, and forms that change in place.
/** @jsxImportSource preact */
import type { ComponentChildren } from "preact";
import { Select } from "../../components/form.tsx";
import type { FormState } from "../../form.ts";
import { Layout } from "../../layout.tsx";
import type { MachineName, Shell } from "../../model.ts";
import { text } from "../../text.ts";

/** The admin pages' own navigation, in its order. */
const ROOMS = ["machines", "reasons", "access", "events", "health"] as const;
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
              {one === "events" && <Count n={shell.set_aside ?? 0} />}
            </a>
          ))}
        </nav>
        {children}
      </main>
    </Layout>
  );
}

/** How many events wait for a hand; nothing where none does. */
function Count({ n }: { n: number }) {
  if (n === 0) return null;
  return (
    <span class="count-badge">
      <span aria-hidden="true">{n > 99 ? "99+" : n}</span>
      <span class="only-heard">{text.admin.eventsAside(n)}</span>
    </span>
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

const TABS = ["settings", "calendar", "cycle-times", "policy"] as const;

/** A machine's name, and what is set for it. */
export function MachineTabs({ machine, here }: { machine: MachineName; here: (typeof TABS)[number] }) {
  const words = {
    settings: text.machines.settings,
    calendar: text.admin.calendar,
    "cycle-times": text.admin.cycleTimes,
    policy: text.admin.policy,
  };
  return (
    <div class="crumbs">
      <h1>{machine.name}</h1>
      <nav class="nav" aria-label={machine.name}>
        {TABS.map((tab) => (
          <a
            key={tab}
            href={`/admin/machines/${encodeURIComponent(machine.machine_id)}${tab === "settings" ? "" : `/${tab}`}`}
            aria-current={tab === here ? "page" : undefined}
          >
            {words[tab]}
          </a>
        ))}
      </nav>
    </div>
  );
}

/** For which machines the form is meant. */
export function ApplyTo({ form, group }: { form: FormState; group: string }) {
  const { apply } = text.admin;
  const options = [
    { value: "machine", name: apply.machine },
    ...(group === "" ? [] : [{ value: "group", name: apply.group(group) }]),
    { value: "all", name: apply.all },
  ];
  return <Select form={form} path="/apply" label={apply.label} options={options} />;
}
