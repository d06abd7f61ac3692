// The fields of a machine's source, by its kind, and what a test of it told.
/** @jsxImportSource preact */
import type { TriedPoint } from "../../ingest/sources/modbus/trial.ts";
import type { TriedDevice } from "../../ingest/sources/mtconnect/trial.ts";
import type { SourceKind } from "../admin-model.ts";
import type { FormState } from "../form.ts";
import { number } from "../format.ts";
import { text } from "../text.ts";
import { Input, TextArea } from "./form.tsx";

export const GROUPS_ID = "groups";

/** What groups there are, for the fields that name one. */
export function GroupList({ groups }: { groups: readonly string[] }) {
  return (
    <datalist id={GROUPS_ID}>
      {groups.map((group) => (
        <option key={group} value={group} />
      ))}
    </datalist>
  );
}

export function NameAndGroup({ form }: { form: FormState }) {
  const words = text.machines;
  return (
    <div class="row-fields row-top">
      <Input form={form} path="/name" label={words.name} required maxlength={200} autocomplete="off" />
      <Input
        form={form}
        path="/group"
        label={words.group}
        hint={words.groupHint}
        maxlength={200}
        autocomplete="off"
        list={GROUPS_ID}
      />
    </div>
  );
}

export function AgentField({ form }: { form: FormState }) {
  const words = text.machines;
  return (
    <Input
      form={form}
      path="/source/url"
      label={words.url}
      hint={words.urlHint}
      required
      maxlength={500}
      autocomplete="off"
      inputmode="url"
    />
  );
}

export function ModuleFields({ form, whole }: { form: FormState; whole: boolean }) {
  const words = text.machines;
  return (
    <>
      <Input
        form={form}
        path="/source/host"
        label={words.host}
        hint={words.hostHint}
        required
        maxlength={255}
        autocomplete="off"
        inputmode="url"
      />
      <div class="row-fields">
        <Input form={form} path="/source/port" label={words.port} inputmode="numeric" />
        <Input form={form} path="/source/unit" label={words.unit} inputmode="numeric" />
        {whole && <Input form={form} path="/source/poll_ms" label={words.pollMs} inputmode="numeric" />}
      </div>
      {whole && (
        <TextArea
          form={form}
          path="/source/map"
          label={words.map}
          hint={words.mapHint}
          rows={form.values["/source/map"]?.[0]?.startsWith("adam") ? 1 : 12}
        />
      )}
    </>
  );
}

export function SourceFields({ kind, form }: { kind: SourceKind; form: FormState }) {
  if (kind === "http") return null;
  if (kind === "modbus") return <ModuleFields form={form} whole />;
  return (
    <>
      <AgentField form={form} />
      <Input
        form={form}
        path="/source/device"
        label={text.machines.device}
        hint={text.machines.deviceHint}
        maxlength={200}
        autocomplete="off"
      />
    </>
  );
}

/** A signal's value as it came: numbers short, nothing as a dash. */
export const valueText = (value: string | number | null): string =>
  typeof value === "number" ? number(value, Number.isInteger(value) ? 0 : 2) : (value ?? text.none);

/** What a device's data items become: the meaningful ones in sight, the others a click away. */
export function Mapping({ device }: { device: TriedDevice }) {
  const words = text.machines;
  const meant = device.signals.filter(({ canonical }) => canonical);
  const others = device.signals.filter(({ canonical }) => !canonical);
  return (
    <>
      {device.lacks.length === 0 ? (
        <p class="hint">{words.lacksNothing}</p>
      ) : (
        device.lacks.map((lack) => (
          <p key={lack} class="notice">
            {words.lacks[lack]}
          </p>
        ))
      )}
      <details>
        <summary>{words.mapping}</summary>
        <SignalTable signals={meant} />
        {others.length > 0 && (
          <details>
            <summary>{`${words.ownName}: ${others.length}`}</summary>
            <SignalTable signals={others} />
          </details>
        )}
      </details>
    </>
  );
}

function SignalTable({ signals }: { signals: TriedDevice["signals"] }) {
  const words = text.machines;
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">{words.signal}</th>
          <th scope="col">{words.dataItem}</th>
          <th scope="col">{words.type}</th>
          <th scope="col">{words.now}</th>
        </tr>
      </thead>
      <tbody>
        {signals.map(({ signal, data_item, type, value }) => (
          <tr key={signal}>
            <th scope="row">{signal}</th>
            <td data-label={words.dataItem}>{data_item}</td>
            <td data-label={words.type}>{type}</td>
            <td data-label={words.now}>{valueText(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a module said when it was read. */
export function Points({ points }: { points: readonly TriedPoint[] }) {
  const words = text.machines;
  return (
    <section class="panel" id="tried" tabindex={-1}>
      <h2>{words.live}</h2>
      <p class="hint">{words.liveHint}</p>
      <dl class="points">
        {points.map(({ signal, value }) => (
          <div key={signal} data-on={value === 1 ? "true" : undefined}>
            <dt>{signal}</dt>
            <dd>{value === null ? words.notGiven : valueText(value)}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
