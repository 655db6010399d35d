// Reads the declarations that the compiler writes for users (.d.ts): what is declared, its doc comments and its members. The
// compiler writes one statement after the other, members indented by four columns; no more of the language is understood.

/** Something that has a doc comment, or should. */
export interface Declared {
  readonly name: string;
  /** Its text without comments. */
  readonly text: string;
  /** Of its doc comment; empty where it has none. */
  readonly comment: string;
}

export interface Member extends Declared {
  /** Such as "static", "readonly", "protected", "get". */
  readonly modifiers: readonly string[];
}

export interface Declaration extends Declared {
  readonly kind: string;
  /** Of a class or an interface; of others none. */
  readonly members: readonly Member[];
}

interface Piece {
  readonly comment: string;
  readonly lines: readonly string[];
}

/** Cuts lines into what begins at a column, each with the comment before it. */
function piecesAt(column: number, lines: readonly string[]): Piece[] {
  const pieces: { comment: string; lines: string[] }[] = [];
  const margin = " ".repeat(column);
  let comment = "";
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const begins = line.startsWith(margin) && /^[^\s}]/.test(line.slice(column));
    if (begins && line.startsWith(`${margin}/**`)) {
      const from = i;
      while (!(lines[i] as string).includes("*/")) i++;
      comment = lines.slice(from, i + 1).join("\n");
    } else if (begins) {
      pieces.push({ comment, lines: [line] });
      comment = "";
    } else pieces.at(-1)?.lines.push(line);
  }
  return pieces;
}

const STATEMENT =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(class|interface|type|const|let|function|enum) ([\w$]+)/;
const MEMBER = /^((?:(?:static|readonly|protected|private|abstract|override|get|set|async) )*)(\[[^\]]+\]|[#\w$]+|\()/;

const withoutComments = (lines: readonly string[]): string => lines.join("\n").replaceAll(/\/\*\*[\s\S]*?\*\//g, "");

export function declarationsOf(text: string): Declaration[] {
  return piecesAt(0, text.split("\n")).flatMap(({ comment, lines }) => {
    const [, kind, name] = STATEMENT.exec(lines[0] as string) ?? [];
    if (kind === undefined || name === undefined) return [];
    const members = kind === "class" || kind === "interface" ? membersOf(lines.slice(1)) : [];
    return [{ kind, name, comment, text: withoutComments(lines), members }];
  });
}

function membersOf(lines: readonly string[]): Member[] {
  return piecesAt(4, lines).flatMap(({ comment, lines: own }) => {
    const [, modifiers, name] = MEMBER.exec((own[0] as string).trimStart()) ?? [];
    if (name === undefined) throw new Error(`what is this member? ${own[0]}`);
    return [{ name, comment, text: withoutComments(own), modifiers: (modifiers as string).trim().split(" ") }];
  });
}

/** What a file takes from another, by the name that it has here: the file and its name there. */
export function importsOf(text: string): Map<string, { readonly from: string; readonly name: string }> {
  const found = new Map<string, { from: string; name: string }>();
  for (const [, list, from] of text.matchAll(/^(?:import|export)(?: type)? \{([^}]*)\} from "([^"]+)";/gm)) {
    for (const item of (list as string).split(",")) {
      const [name, as] = item
        .trim()
        .replace(/^type /, "")
        .split(" as ");
      if (name) found.set(as ?? name, { from: from as string, name });
    }
  }
  return found;
}

/** Whether users see a member: what is private, protected or marked @internal they do not. */
export const isPublic = ({ name, modifiers, comment }: Member): boolean =>
  !name.startsWith("#") &&
  !["private", "protected"].some((one) => modifiers.includes(one)) &&
  !/@internal/.test(comment);
