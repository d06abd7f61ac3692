// SQL put together: a text names the pieces that it takes, and nothing looks for them in its words.

/** What may stand in a text for a piece of SQL: `{name:Text}`. Values are parameters of other types, and stay. */
const PIECE = /\{(\w+):Text\}/g;

/** Puts pieces where a text names them. @throws where it names one that is not given, or does not name one that is */
export function filled(text: string, pieces: Record<string, string>): string {
  const unnamed = new Set(Object.keys(pieces));
  const whole = text.replaceAll(PIECE, (found, name: string) => {
    const piece = pieces[name];
    if (piece === undefined) throw new Error(`no SQL for ${found}`);
    unnamed.delete(name);
    return piece;
  });
  if (unnamed.size > 0) throw new Error(`SQL that takes no {${[...unnamed].join(":Text}, {")}:Text}`);
  return whole;
}
