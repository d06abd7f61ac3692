// Adding a machine: where its data comes from, a live test of that, and what to take of what was found.
/** @jsxImportSource preact */
import type { TriedDevice } from "../../../ingest/sources/mtconnect/trial.ts";
import type { AdminAddProps, SourceKind } from "../../admin-model.ts";
import { EnterSaves, FormErrors, Input, Select } from "../../components/form.tsx";
import {
  AgentField,
  GROUPS_ID,
  GroupList,
  Mapping,
  ModuleFields,
  NameAndGroup,
  Points,
} from "../../components/source-fields.tsx";
import { isChosen } from "../../form.ts";
import type { Shell } from "../../model.ts";
import { text } from "../../text.ts";
import { AdminFrame } from "./frame.tsx";

const KINDS: readonly SourceKind[] = ["mtconnect", "modbus", "http"];

/** `GET /admin/add`: three ways. */
export function AdminAddChoice({ shell }: { shell: Shell }) {
  const words = text.machines;
  return (
    <AdminFrame shell={shell} room="machines" title={words.add}>
      <h1>{words.add}</h1>
      <h2>{words.choose}</h2>
      <ul class="ways">
        {KINDS.map((kind) => (
          <li key={kind}>
            <a class="panel way" href={`/admin/add/${kind}`}>
              <b>{words.kinds[kind]}</b>
              <span>{words.chooseHints[kind]}</span>
            </a>
          </li>
        ))}
      </ul>
    </AdminFrame>
  );
}

export function AdminAdd(props: AdminAddProps) {
  const { shell, kind, form, groups } = props;
  const words = text.machines;
  return (
    <AdminFrame shell={shell} room="machines" title={words.addTitles[kind]}>
      <div class="crumbs">
        <h1>{words.addTitles[kind]}</h1>
        <a class="button" href="/admin/add">
          {words.otherWay}
        </a>
      </div>
      <form class="stack wide-form" method="post" action={`/admin/add/${kind}`} hx-disabled-elt="find button">
        <GroupList groups={groups} />
        <FormErrors form={form} />
        {kind === "mtconnect" && <AddAgent {...props} />}
        {kind === "modbus" && <AddModule {...props} />}
        {kind === "http" && <AddHttp {...props} />}
      </form>
    </AdminFrame>
  );
}

/** Enter in the address tests; once there is something to take, the button below takes it. */
function AddAgent({ form, tried, taken }: AdminAddProps) {
  const words = text.machines;
  const devices = tried && "devices" in tried ? tried.devices : null;
  return (
    <>
      <section class="panel stack">
        <AgentField form={form} />
        <TestButton isMain={devices === null} />
      </section>
      {devices && (
        <section class="stack wide-form" id="tried" tabindex={-1}>
          <h2>{devices.length === 0 ? words.foundNone : words.found(devices.length)}</h2>
          {devices.map((device, i) => (
            <Device key={device.device} device={device} row={`/machines/${i}`} form={form} taken={taken} />
          ))}
          {devices.length > 0 && (
            <div class="buttons">
              <button type="submit" class="primary" name="do" value="create">
                {words.addChosen}
              </button>
            </div>
          )}
        </section>
      )}
    </>
  );
}

function Device({
  device,
  row,
  form,
  taken,
}: Pick<AdminAddProps, "form" | "taken"> & { device: TriedDevice; row: string }) {
  const words = text.machines;
  const known = taken.includes(device.device);
  const made = [device.manufacturer, device.model].filter(Boolean).join(" ");
  return (
    <fieldset class="row-card panel">
      <legend>{device.name || device.device}</legend>
      <input type="hidden" name={`${row}/device`} value={device.device} />
      <dl class="facts">
        {device.uuid && (
          <div>
            <dt>{words.uuid}</dt>
            <dd>{device.uuid}</dd>
          </div>
        )}
        {made && (
          <div>
            <dt>{words.model}</dt>
            <dd>{made}</dd>
          </div>
        )}
        <div>
          <dt>{words.dataItems}</dt>
          <dd>{device.data_items}</dd>
        </div>
      </dl>
      {known ? (
        <p class="hint">{words.isMachine}</p>
      ) : (
        <>
          <label class="box">
            <input
              type="checkbox"
              name={`${row}/take`}
              value="1"
              checked={isChosen(form, `${row}/take`, "1")}
            />
            <span>{words.take(device.name || device.device)}</span>
          </label>
          <div class="row-fields">
            <Input form={form} path={`${row}/name`} label={words.name} maxlength={200} autocomplete="off" />
            <Input
              form={form}
              path={`${row}/group`}
              label={words.group}
              maxlength={200}
              autocomplete="off"
              list={GROUPS_ID}
            />
          </div>
        </>
      )}
      <Mapping device={device} />
    </fieldset>
  );
}

function AddModule({ form, tried }: AdminAddProps) {
  const words = text.machines;
  const channels = Array.from({ length: 12 }, (_, i) => i);
  const none = { value: "", name: words.none };
  const inputs = [none, ...channels.map((i) => ({ value: `di${i}`, name: `di${i}` }))];
  const counters = [none, ...channels.map((i) => ({ value: `counter${i}`, name: `counter${i}` }))];
  const levels = [
    { value: "1", name: words.on },
    { value: "0", name: words.off },
  ];
  return (
    <>
      <section class="panel stack">
        <ModuleFields form={form} whole={false} />
        <input type="hidden" name="/source/map" value="adam-6050" />
        <TestButton isMain={tried === null} />
      </section>
      {tried && "points" in tried && <Points points={tried.points} />}
      <section class="panel stack">
        <h2>{words.meaning}</h2>
        <div class="row-fields">
          <Select form={form} path="/wires/run" label={words.run} options={inputs} />
          <Select form={form} path="/wires/run_when" label={words.runWhen} options={levels} />
        </div>
        <div class="row-fields">
          <Select form={form} path="/wires/fault" label={words.fault} options={inputs} />
          <Select form={form} path="/wires/fault_when" label={words.faultWhen} options={levels} />
        </div>
        <Select form={form} path="/wires/parts" label={words.parts} options={counters} />
        <NameAndGroup form={form} />
        <CreateButton />
      </section>
    </>
  );
}

function AddHttp({ form }: AdminAddProps) {
  const words = text.machines;
  return (
    <section class="panel stack">
      <EnterSaves />
      <NameAndGroup form={form} />
      <Input form={form} path="/id" label={words.id} hint={words.idHint} maxlength={100} autocomplete="off" />
      <CreateButton />
    </section>
  );
}

/** The first button is the one that Enter means. */
export function TestButton({ isMain }: { isMain: boolean }) {
  const words = text.machines;
  return (
    <div class="buttons">
      <button type="submit" class={isMain ? "primary" : undefined} name="do" value="test" formnovalidate>
        {words.test}
      </button>
      <p class="hint">{words.testHint}</p>
    </div>
  );
}

function CreateButton() {
  return (
    <div class="buttons">
      <button type="submit" class="primary" name="do" value="create">
        {text.machines.created}
      </button>
    </div>
  );
}
