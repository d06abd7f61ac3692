// The tree of reasons that an empty plant may start from, in the words of whoever asks for it.
import type { ReasonsInput } from "../../../ingest/reasons.ts";
import type { StarterWords } from "../../../views/index.ts";

type Group = Omit<ReasonsInput[number], "name"> & { code: keyof StarterWords; below: (keyof StarterWords)[] };

const GROUPS: readonly Group[] = [
  { code: "setup", category: "setup", below: ["changeover", "tool_change", "first_part"] },
  { code: "breakdown", category: "breakdown", below: ["mechanical", "electrical", "program"] },
  {
    code: "organisation",
    category: "other",
    below: ["no_material", "no_operator", "no_order", "quality_check", "cleaning"],
  },
  { code: "planned", policy: "excluded", below: ["maintenance", "pause"] },
];

export const starterReasons = (words: StarterWords): ReasonsInput =>
  GROUPS.flatMap(({ below, ...group }) => [
    { ...group, name: words[group.code] },
    ...below.map((code) => ({ code, name: words[code], parent: group.code })),
  ]);
