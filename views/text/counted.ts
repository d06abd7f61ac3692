// Число с существительным по-русски.
const rules = /* @__PURE__ */ new Intl.PluralRules("ru");

/** "1 авария", "2 аварии", "5 аварий". */
export const counted = (n: number, one: string, few: string, many: string): string => {
  const form = rules.select(n);
  return `${n} ${form === "one" ? one : form === "few" ? few : many}`;
};
