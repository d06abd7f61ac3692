// One machine: its name and group, its source with a live test, its rules, and its end.
/** @jsxImportSource preact */
import type { AdminMachineProps } from "../../admin-model.ts";
import { ContactWord } from "../../components/contact.tsx";
import { EnterSaves, FormEnd, FormErrors, Input, RowButton } from "../../components/form.tsx";
import { GroupList, Mapping, NameAndGroup, Points, SourceFields } from "../../components/source-fields.tsx";
import { rowsOf } from "../../form.ts";
import { age } from "../../format.ts";
import { text } from "../../text.ts";
import { TestButton } from "./add.tsx";
import { AdminFrame, Done, MachineTabs } from "./frame.tsx";

const SIGNALS_ID = "signals";
const MEANINGS_ID = "meanings";
/** What a rule is mostly about; any other canonical signal may be typed. */
const MEANINGS = [
  "execution",
  "part_count",
  "part_count_good",
  "part_count_bad",
  "part_pulse",
  "part_event",
  "emergency_stop",
  "controller_mode",
  "functional_mode",
  "part_number",
  "program",
  "lot",
  "condition:fault",
];

export function AdminMachine(props: AdminMachineProps) {
  const { shell, machine, kind, form, groups, done, tried } = props;
  const words = text.machines;
  return (
    <AdminFrame shell={shell} room="machines" title={`${machine.name}: ${words.settings}`}>
      <MachineTabs machine={machine} here="settings" />
      {done && <Done>{words.done[done]}</Done>}
      <form
        class="stack wide-form"
        method="post"
        action={`/admin/machines/${encodeURIComponent(machine.machine_id)}`}
      >
        <EnterSaves />
        <GroupList groups={groups} />
        <FormErrors form={form} />
        <section class="panel stack wide-form">
          <NameAndGroup form={form} />
        </section>
        <section class="panel stack wide-form">
          <h2>{`${words.source}: ${words.kinds[kind]}`}</h2>
          <ContactLine {...props} />
          <SourceFields kind={kind} form={form} />
          {kind === "http" ? <SendLine {...props} /> : <TestButton isMain={false} />}
        </section>
        {tried && "points" in tried && <Points points={tried.points} />}
        {tried && "devices" in tried && <Found {...props} />}
        <Rules {...props} />
        <div class="panel save-bar">
          <button type="submit" class="primary">
            {words.save}
          </button>
        </div>
        <FormEnd />
      </form>
      <Delete {...props} />
    </AdminFrame>
  );
}

function ContactLine({ kind, contact, shell }: AdminMachineProps) {
  const words = text.machines;
  const heard = contact.heard_ms > 0 ? words.ago(age(shell.now_ms - contact.heard_ms)) : words.never;
  return (
    <dl class="facts">
      {kind !== "http" && (
        <div>
          <dt>{words.contact}</dt>
          <dd>
            <ContactWord state={contact.state} />
            {contact.read_by && <span class="address">{text.health.readBy(contact.read_by)}</span>}
          </dd>
        </div>
      )}
      <div>
        <dt>{words.lastData}</dt>
        <dd>{heard}</dd>
      </div>
      {contact.error && (
        <div>
          <dt>{text.health.complaint}</dt>
          <dd>{contact.error}</dd>
        </div>
      )}
    </dl>
  );
}

/** The device that this machine is, or all that the agent has where it is not among them. */
function Found({ tried, form }: AdminMachineProps) {
  const words = text.machines;
  const devices = tried && "devices" in tried ? tried.devices : [];
  const wanted = form.values["/source/device"]?.[0] ?? "";
  const own = devices.filter(({ device, name }) => [device, name].includes(wanted));
  const shown = own.length > 0 ? own : devices;
  return (
    <section class="panel" id="tried" tabindex={-1}>
      <h2>{devices.length === 0 ? words.foundNone : words.found(devices.length)}</h2>
      {shown.map((device) => (
        <div key={device.device} class="stack wide-form">
          <p>
            <b>{device.name}</b> {device.device}
          </p>
          <Mapping device={device} />
        </div>
      ))}
    </section>
  );
}

/** One line to try it with. */
function SendLine({ machine, shell }: AdminMachineProps) {
  const words = text.machines;
  const url = `${shell.origin}/internal/machines/${encodeURIComponent(machine.machine_id)}/data`;
  return (
    <div class="stack wide-form">
      <h3>{words.sendTitle}</h3>
      <p class="hint">{words.sendHint}</p>
      <pre class="code" tabindex={0}>
        {`curl ${url} \\\n  -H "X-API-Key: $KEY" -H "Content-Type: application/json" \\\n  -d '{"observations":[{"signal":"execution","value":"ACTIVE","ts":"'$(date -u +%FT%TZ)'"}]}'`}
      </pre>
    </div>
  );
}

function Rules({ form, signals }: AdminMachineProps) {
  const words = text.machines;
  return (
    <section class="panel stack wide-form">
      <h2>{words.rules}</h2>
      <p class="hint">{words.rulesHint}</p>
      <datalist id={SIGNALS_ID}>
        {signals.map((signal) => (
          <option key={signal} value={signal} />
        ))}
      </datalist>
      <datalist id={MEANINGS_ID}>
        {MEANINGS.map((meaning) => (
          <option key={meaning} value={meaning} />
        ))}
      </datalist>
      {rowsOf(form, "/rules").map((row, i) => (
        <fieldset key={row} class="row-card">
          <legend>{`${i + 1}`}</legend>
          <div class="row-fields">
            <Input
              form={form}
              path={`${row}/signal`}
              label={words.ruleSignal}
              autocomplete="off"
              list={SIGNALS_ID}
            />
            <Input
              form={form}
              path={`${row}/is`}
              label={words.ruleIs}
              autocomplete="off"
              list={MEANINGS_ID}
            />
            <Input form={form} path={`${row}/words`} label={words.ruleWords} autocomplete="off" />
            <RowButton act={`remove ${row}`}>{words.removeRule}</RowButton>
          </div>
        </fieldset>
      ))}
      <p class="hint">{`${words.ruleWords}: ${words.ruleWordsHint}`}</p>
      <div class="buttons">
        <RowButton act="add /rules">{words.addRule}</RowButton>
      </div>
    </section>
  );
}

function Delete({ machine }: AdminMachineProps) {
  const words = text.machines;
  return (
    <details class="panel">
      <summary>{words.deleteTitle}</summary>
      <form class="stack" method="post" action={`/admin/machines/${encodeURIComponent(machine.machine_id)}`}>
        <p>{words.deleteStays}</p>
        <div class="buttons">
          <button type="submit" class="danger" name="do" value="delete">
            {words.deleteForGood}
          </button>
        </div>
      </form>
    </details>
  );
}
