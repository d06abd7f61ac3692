// A CNC's cutting tools: what its offsets say of them, and each as an asset that wears and is replaced.
import type { NewAsset } from "../agent.ts";
import type { SetValue } from "../value.ts";
import type { Product } from "./machines.ts";

/** Parts a tool lasts, and how often its life is told. */
const LIFE_PARTS = 300;
const TOLD_EVERY_PARTS = 20;

/** What becomes of a tool in the rack. */
export type ToolChange = { put: Omit<NewAsset, "timestamp_us"> } | { remove: string };

/** The offsets of a product's tools; length wears away with the parts they made. */
export const toolOffsets = ({ operations }: Product, parts: number): SetValue["entries"] =>
  Object.fromEntries(
    operations.map(({ tool }) => [
      `T${tool}`,
      {
        LENGTH: rounded(95 + 7.25 * tool - wear_mm(parts)),
        RADIUS: rounded(2 + tool / 2 - wear_mm(parts) / 4),
      },
    ]),
  );

const wear_mm = (parts: number): number => 0.002 * Math.floor(parts / TOLD_EVERY_PARTS);
const rounded = (mm: number): number => Math.round(mm * 1000) / 1000;

/** Is it worth telling again what the tools are like? */
export const isToolCheck = (parts: number): boolean => parts % TOLD_EVERY_PARTS === 0;

/** The rack after so many parts: tools as they are, and those that went. */
export function toolChanges(uuid: string, { operations }: Product, parts: number): ToolChange[] {
  const [worn, used] = [Math.floor(parts / LIFE_PARTS), parts % LIFE_PARTS];
  return operations.flatMap(({ tool }): ToolChange[] => {
    const id = (serial: number): string => `${uuid}-T${tool}.${serial}`;
    const replaced: ToolChange[] = used === 0 && worn > 0 ? [{ remove: id(worn) }] : [];
    return [...replaced, { put: cuttingTool(id(worn + 1), tool, used) }];
  });
}

function cuttingTool(asset_id: string, tool: number, used_parts: number): Omit<NewAsset, "timestamp_us"> {
  const status = used_parts === 0 ? "NEW" : "USED";
  const body =
    `<CuttingToolLifeCycle><CutterStatus><Status>${status}</Status></CutterStatus>` +
    `<ToolLife type="PART_COUNT" countDirection="UP" limit="${LIFE_PARTS}" initial="0">${used_parts}</ToolLife>` +
    `<ProgramToolNumber>${tool}</ProgramToolNumber><Location type="POT">${tool}</Location></CuttingToolLifeCycle>`;
  const [toolId = "", serialNumber = ""] = [`T${tool}`, asset_id.split(".").at(-1)];
  return { asset_id, type: "CuttingTool", attributes: { serialNumber, toolId }, body };
}
