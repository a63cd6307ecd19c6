/** Text between actions, or what stands between `{{` and `}}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly string[] };

const ACTION = /\{\{(-(?=\s))?([\s\S]*?)(?:(?<=\s)(-))?\}\}/g;

const TOKEN =
  /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)*'|:=|\$[A-Za-z_0-9]*(?:\.[A-Za-z_][A-Za-z_0-9]*)*|(?:\.[A-Za-z_][A-Za-z_0-9]*)+|[+-]?(?:0[xob][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)|[A-Za-z_][A-Za-z_0-9]*|[.|(),=]|\s+/y;

/** Splits a template. Throws where an action cannot be read. */
export const splitTemplate = (template: string): Piece[] => {
  const pieces: Piece[] = [];
  let last = 0;
  let trimNext = false;
  const addText = (end: number, trimEnd: boolean): void => {
    let text = template.slice(last, end);
    if (trimNext) text = text.trimStart();
    if (trimEnd) text = text.trimEnd();
    if (text !== '') pieces.push({ kind: 'text', text });
  };
  for (const match of template.matchAll(ACTION)) {
    addText(match.index, match[1] !== undefined);
    const body = match[2]!;
    if (!body.trim().startsWith('/*')) pieces.push({ kind: 'action', tokens: tokensOf(body) });
    trimNext = match[3] !== undefined;
    last = match.index + match[0].length;
  }
  if (template.indexOf('{{', last) >= 0) throw new Error('template: unclosed action');
  addText(template.length, false);
  return pieces;
};

const tokensOf = (body: string): string[] => {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(body);
    if (match === null)
      throw new Error(`template: unexpected ${JSON.stringify(body.charAt(start))} in command`);
    if (match[0].trim() !== '') tokens.push(match[0]);
  }
  return tokens;
};
