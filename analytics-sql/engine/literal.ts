// Values as literals of SQL, for the two places that cannot bind: a view's text, and SET.

/** A string of SQL: nothing in it can end the string (`\\` and `'` are escaped). */
export const literal = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
