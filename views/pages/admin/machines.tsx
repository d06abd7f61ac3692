// The machines with their sources, and the way to what is set for each; the demo comes and goes here.
/** @jsxImportSource preact */
import type { AdminMachinesProps } from "../../admin-model.ts";
import { ContactWord } from "../../components/contact.tsx";
import { age } from "../../format.ts";
import { text } from "../../text.ts";
import { AdminFrame, Done } from "./frame.tsx";

export function AdminMachines({ shell, machines, demo, done }: AdminMachinesProps) {
  const words = text.admin;
  return (
    <AdminFrame shell={shell} room="machines" title={words.machines}>
      <div class="crumbs">
        <h1>{words.machines}</h1>
        <a class="button primary" href="/admin/add">
          {text.machines.add}
        </a>
      </div>
      {done && <Done>{text.machines.done[done]}</Done>}
      {machines.length === 0 ? (
        <p class="panel">{words.noMachines}</p>
      ) : (
        <div class="panel scrolling">
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">{words.machine}</th>
                <th scope="col">{text.machines.source}</th>
                <th scope="col">{text.machines.contact}</th>
                <th scope="col">{text.machines.lastData}</th>
                <th scope="col">{words.group}</th>
                <th scope="col">{words.calendar}</th>
                <th scope="col">{words.cycleTimes}</th>
                <th scope="col">{words.policy}</th>
              </tr>
            </thead>
            <tbody>
              {machines.map((machine) => (
                <Row key={machine.machine_id} machine={machine} now_ms={shell.now_ms} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <DemoPanel demo={demo} />
    </AdminFrame>
  );
}

function Row({ machine, now_ms }: { machine: AdminMachinesProps["machines"][number]; now_ms: number }) {
  const words = text.admin;
  const { machine_id, name, group, kind, address, contact, calendar, cycle_times } = machine;
  const base = `/admin/machines/${encodeURIComponent(machine_id)}`;
  const heard =
    contact.heard_ms > 0 ? text.machines.ago(age(now_ms - contact.heard_ms)) : text.machines.never;
  return (
    <tr>
      <th scope="row">
        <a class="cell-link" href={base}>
          {name}
        </a>
        {machine.demo && <span class="tag">{text.machines.isDemo}</span>}
      </th>
      <td data-label={text.machines.source} class="wide">
        {text.machines.kinds[kind]}
        {address && <span class="address">{address}</span>}
      </td>
      <td data-label={text.machines.contact}>
        {kind === "http" ? text.none : <ContactWord state={contact.state} />}
        {contact.error && <span class="address">{contact.error}</span>}
        {contact.read_by && <span class="address">{text.health.readBy(contact.read_by)}</span>}
      </td>
      <td data-label={text.machines.lastData}>{heard}</td>
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
}

function DemoPanel({ demo }: Pick<AdminMachinesProps, "demo">) {
  const words = text.machines;
  const lead = { none: words.demoNone, running: words.demoRunning, stopped: words.demoStopped }[demo];
  return (
    <section class="panel">
      <h2>{words.demo}</h2>
      <p>{lead}</p>
      <form
        class="buttons demo-buttons"
        method="post"
        action="/admin/demo"
        // Three days of history are made up: on a slow machine that takes longer than a page may.
        hx-request='{"timeout":60000}'
        hx-disabled-elt="find button"
      >
        {demo !== "running" && (
          <button type="submit" name="do" value="start">
            {demo === "none" ? words.startDemo : words.resumeDemo}
          </button>
        )}
        {demo !== "none" && (
          <button type="submit" name="do" value="remove">
            {words.removeDemo}
          </button>
        )}
      </form>
    </section>
  );
}
