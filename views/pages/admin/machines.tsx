// The machines, and the way to what is set for each.
/** @jsxImportSource preact */
import type { AdminMachinesProps } from "../../model.ts";
import { text } from "../../text.ts";
import { AdminFrame } from "./frame.tsx";

export function AdminMachines({ shell, machines }: AdminMachinesProps) {
  const words = text.admin;
  return (
    <AdminFrame shell={shell} room="machines" title={words.machines}>
      <h1>{words.machines}</h1>
      {machines.length === 0 ? (
        <p class="panel">{words.noMachines}</p>
      ) : (
        <div class="panel">
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">{words.machine}</th>
                <th scope="col">{words.group}</th>
                <th scope="col">{words.calendar}</th>
                <th scope="col">{words.cycleTimes}</th>
                <th scope="col">{words.policy}</th>
              </tr>
            </thead>
            <tbody>
              {machines.map(({ machine_id, name, group, calendar, cycle_times }) => {
                const base = `/admin/machines/${encodeURIComponent(machine_id)}`;
                return (
                  <tr key={machine_id}>
                    <th scope="row">{name}</th>
                    <td data-label={words.group}>{group || text.none}</td>
                    <td data-label={words.calendar}>
                      <a class="cell-link" href={`${base}/calendar`}>
                        {calendar || words.noCalendar}
                      </a>
                    </td>
                    <td data-label={words.cycleTimes}>
                      <a class="cell-link" href={`${base}/cycle-times`}>
                        {words.cycleTimeCount(cycle_times)}
                      </a>
                    </td>
                    <td data-label={words.policy}>
                      <a class="cell-link" href={`${base}/policy`}>
                        {words.change}
                      </a>
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </AdminFrame>
  );
}
