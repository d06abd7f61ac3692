// What a report is narrowed to: told and taken back by links, chosen in a form that is fetched when it is opened.
/** @jsxImportSource preact */
import { type Asked, type DashboardFiltersProps, ONLY } from "../model.ts";
import { text } from "../text.ts";
import { piecePath, reportPath, WITHOUT } from "./asked.ts";
import { Kept, named, SWAP } from "./period.tsx";

type Active = { what: string; value: string; href: string };

/** @param names machines' names by id */
function activeFilters(asked: Asked, names: ReadonlyMap<string, string>): Active[] {
  const { only, group, machines } = asked;
  return [
    ...(group === undefined
      ? []
      : [{ what: text.report.group, value: named(group), href: reportPath(asked, { group: undefined }) }]),
    ...machines.map((id) => ({
      what: text.dashboard.machine,
      value: names.get(id) ?? id,
      href: reportPath(asked, { machines: machines.filter((one) => one !== id) }),
    })),
    ...ONLY.flatMap((name) => {
      const value = only[name];
      if (value === undefined) return [];
      const href = reportPath(asked, { only: { [name]: undefined } });
      return [{ what: text.report.only[name], value: named(value), href }];
    }),
  ];
}

export function Filters({ asked, names = new Map() }: { asked: Asked; names?: ReadonlyMap<string, string> }) {
  return (
    <div class="filters">
      <details>
        <summary>{text.report.filters}</summary>
        <div
          hx-get={piecePath(asked, "filters")}
          hx-trigger="toggle from:closest details once"
          hx-swap="outerHTML"
        >
          <p class="hint">{text.dashboard.loading}</p>
        </div>
      </details>
      {activeFilters(asked, names).map(({ what, value, href }) => (
        <a
          key={href}
          class="button active-filter"
          href={href}
          hx-get={href}
          {...SWAP}
          title={text.report.takeBack}
        >
          {what}: {value}
          <span aria-hidden="true"> ×</span>
          <span class="only-heard">, {text.report.takeBack}</span>
        </a>
      ))}
    </div>
  );
}

const LISTS = { shift: "shifts", part: "parts", lot: "lots", order: "orders" } as const;

export function DashboardFilters({ asked, filters, machines, groups }: DashboardFiltersProps) {
  return (
    <form
      class="filter-form"
      action={asked.path}
      hx-get={asked.path}
      {...SWAP}
      aria-label={text.report.filters}
    >
      <Kept asked={asked} without={[...ONLY, "group", "machine"]} />
      {groups.length > 1 && (
        <Choose name="group" label={text.report.group} values={groups} chosen={asked.group} />
      )}
      {ONLY.map((name) => (
        <Choose
          key={name}
          name={name}
          label={text.report.only[name]}
          values={filters[LISTS[name]]}
          chosen={asked.only[name]}
        />
      ))}
      {machines.length > 1 && (
        <fieldset>
          <legend>{text.dashboard.machines}</legend>
          {machines.map(({ machine_id, name }) => (
            <label key={machine_id} class="check">
              <input
                type="checkbox"
                name="machine"
                value={machine_id}
                checked={asked.machines.includes(machine_id)}
              />
              {name}
            </label>
          ))}
        </fieldset>
      )}
      {filters.truncated && <p class="hint">{text.report.truncated}</p>}
      <button type="submit" class="primary">
        {text.dashboard.apply}
      </button>
    </form>
  );
}

/** What is chosen can be seen even where the period has none of it. */
function Choose({
  name,
  label,
  values,
  chosen,
}: {
  name: string;
  label: string;
  values: readonly string[];
  chosen: string | undefined;
}) {
  const all = chosen === undefined || values.includes(chosen) ? values : [chosen, ...values];
  return (
    <label>
      <span>{label}</span>
      <select name={name}>
        <option value="">{text.report.all}</option>
        {all.map((value) => (
          <option key={value} value={value === "" ? WITHOUT : value} selected={value === chosen}>
            {named(value)}
          </option>
        ))}
      </select>
    </label>
  );
}
