/** What can be told of a policy's text without a parser: where its tests and claims are, and which modules it names. */

export type Kind = "test" | "prove";

export interface Declaration {
  readonly kind: Kind;
  readonly name: string;
  /** Offsets of the whole declaration, and of its name. */
  readonly start: number;
  readonly end: number;
  readonly nameStart: number;
}

/** The tests and claims of a file, in order. */
export function declarations(source: string): Declaration[] {
  const text = masked(source);
  const found: Declaration[] = [];
  for (const match of text.matchAll(/\b(test|prove)(\s+)([A-Za-z_]\w*)\s*\{/g)) {
    const [whole, kind, space, name] = match as unknown as [string, Kind, string, string];
    const start = match.index;
    const end = closing(text, start + whole.length);
    found.push({ kind, name, start, end, nameStart: start + kind.length + space.length });
  }
  return found;
}

/** The module of a file and the modules that it uses. */
export function modules(source: string): { module: string | undefined; uses: string[] } {
  const found = [
    ...masked(source).matchAll(/^[ \t]*(module|use)[ \t]+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)/gm),
  ];
  const named = (word: string) => found.filter((match) => match[1] === word).map((match) => match[2]!);
  return { module: named("module")[0], uses: named("use") };
}

/** The files that make a policy set with one of them: those that use each other, directly or through others. */
export function policySet(file: string, sources: ReadonlyMap<string, string>): string[] {
  const read = new Map([...sources].map(([name, source]) => [name, modules(source)]));
  const set = new Set([file]);
  for (let before = 0; before !== set.size; ) {
    before = set.size;
    const inside = [...set].flatMap((name) => read.get(name) ?? []);
    const named = new Set(inside.flatMap((one) => one.uses));
    const own = new Set(inside.flatMap((one) => one.module ?? []));
    for (const [name, one] of read) {
      if ((one.module !== undefined && named.has(one.module)) || one.uses.some((use) => own.has(use))) {
        set.add(name);
      }
    }
  }
  return [...set].sort();
}

/** The text with spaces for comments and for what is in strings, so that offsets stay. */
function masked(source: string): string {
  return source.replace(/\/\/[^\r\n]*|"(?:[^"\\\r\n]|\\[^\r\n])*"?/g, (found) =>
    " ".repeat(found.length),
  );
}

/** The offset behind the brace that closes the one before `from`; the end of the text if none does. */
function closing(text: string, from: number): number {
  let depth = 1;
  for (let offset = from; offset < text.length; offset++) {
    const character = text[offset];
    if (character === "{") {
      depth++;
    } else if (character === "}" && --depth === 0) {
      return offset + 1;
    }
  }
  return text.length;
}
