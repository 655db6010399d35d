// Everything public has a doc comment, names only what is public too, and says what it throws and where it comes from. Looked at
// are the declarations that users get, from index.d.ts on.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Declaration, declarationsOf, importsOf, isPublic, type Member } from "./declarations.ts";

const declared = fileURLToPath(new URL("../src/", import.meta.url));
const INDEX = "index.d.ts";

type Read = (path: string) => string;

/** What is exported, by its name: the file that declares it, its declaration, and what is imported there. */
interface Exported {
  readonly path: string;
  readonly declaration: Declaration;
  readonly imported: ReturnType<typeof importsOf>;
  readonly beside: readonly string[];
}

const fileOf = (path: string, specifier: string): string =>
  posix.join(posix.dirname(path), specifier).replace(/\.[jt]s$/, ".d.ts");

function exportsOf(read: Read): Map<string, Exported> {
  const found = new Map<string, Exported>();
  for (const [as, { from, name }] of importsOf(read(INDEX))) {
    const path = fileOf(INDEX, from);
    const text = read(path);
    const declarations = declarationsOf(text);
    const wanted = declarations.filter((one) => one.name === name);
    const [first] = wanted;
    assert.ok(first, `${path} declares ${name}`);
    // A function of several forms: each needs a comment.
    for (const [i, declaration] of wanted.entries()) {
      const beside = declarations.map((one) => one.name);
      found.set(i === 0 ? as : `${as} (form ${i + 1})`, { path, declaration, imported: importsOf(text), beside });
    }
  }
  return found;
}

/** Setters share their getter's comment. */
const isSetterOf = (member: Member, members: readonly Member[]): boolean =>
  member.modifiers.includes("set") &&
  members.some(({ name, modifiers, comment }) => name === member.name && modifiers.includes("get") && comment !== "");

function undocumented(exported: ReadonlyMap<string, Exported>): string[] {
  return [...exported].flatMap(([as, { declaration }]) => {
    const { members, comment } = declaration;
    const missing = members.filter((one) => isPublic(one) && one.comment === "" && !isSetterOf(one, members));
    return [...(comment === "" ? [as] : []), ...missing.map(({ name }) => `${as}.${name}`)];
  });
}

/** What a declaration shows of itself: of a class and an interface, what users see. */
function shownText({ kind, text, members }: Declaration): string {
  if (kind !== "class" && kind !== "interface") return text;
  return [text.split("\n")[0], ...members.filter(isPublic).map((member) => member.text)].join("\n");
}

/** Types of ours that are named by what is exported, and are not exported themselves. */
function hidden(exported: ReadonlyMap<string, Exported>): string[] {
  const known = new Set([...exported.values()].map(({ declaration, path }) => `${path} ${declaration.name}`));
  return [...exported].flatMap(([as, { path, declaration, imported, beside }]) => {
    const words = new Set(
      shownText(declaration)
        .replaceAll(/(["'`])(?:\\.|(?!\1).)*\1/g, "")
        .match(/\b[A-Z][\w$]*/g),
    );
    return [...words].flatMap((word) => {
      const source = imported.get(word);
      if (source && !source.from.startsWith(".")) return [];
      const key = source ? `${fileOf(path, source.from)} ${source.name}` : `${path} ${word}`;
      if (!source && !beside.includes(word)) return []; // the language's, or a type parameter
      return known.has(key) ? [] : [`${as} names ${word}, which is not exported`];
    });
  });
}

/** Calls that can fail for a reason that POSIX has a number for: those that wait. */
function withoutErrors(exported: ReadonlyMap<string, Exported>): string[] {
  return [...exported].flatMap(([as, { declaration }]) =>
    declaration.members
      .filter((one) => isPublic(one) && /\(/.test(one.text) && (/: Promise</.test(one.text) || /Sync$/.test(one.name)))
      .filter((one) => one.name !== "[Symbol.asyncDispose]" && !/@throws/.test(one.comment))
      .map(({ name }) => `${as}.${name}`),
  );
}

/** A man page, or the mission. */
const SOURCE = /\b\w+\(\dp?\)|\bmission\b/;

const withoutSource = (exported: ReadonlyMap<string, Exported>): string[] =>
  [...exported]
    .filter(
      ([
        ,
        {
          declaration: { kind, comment },
        },
      ]) => kind === "class" && !SOURCE.test(comment),
    )
    .map(([as]) => as);

const exported = exportsOf((path) => readFileSync(`${declared}${path}`, "utf8"));

test("the declarations of the whole API are found", () => {
  for (const name of ["Kernel", "MessageQueue", "TypedQueue", "WaitOptions", "json", "ErrnoName", "PIPE_BUF"])
    assert.ok(exported.has(name), name);
  const kernel = exported.get("Kernel")?.declaration.members ?? [];
  for (const name of ["create", "pid", "queue", "openFifo", "[Symbol.dispose]"])
    assert.ok(
      kernel.some((member) => member.name === name && isPublic(member)),
      name,
    );
});

test("everything public has a doc comment", () => {
  assert.deepEqual(undocumented(exported), []);
});

test("what is public names only what is public too", () => {
  assert.deepEqual(hidden(exported), []);
});

test("every call that waits says what it throws", () => {
  assert.deepEqual(withoutErrors(exported), []);
});

test("every public class says where it comes from: a man page, or the mission", () => {
  assert.deepEqual(withoutSource(exported), []);
});

/** An API of one file, which nothing is wrong with but what is planted. */
const planted = (text: string): ReadonlyMap<string, Exported> =>
  exportsOf((path) => (path === INDEX ? 'export { A, type B, f } from "./a.ts";\n' : `${GOOD}${text}`));

const GOOD = `import type { C } from "./c.ts";
import type { Readable } from "node:stream";
/** Good. */
export declare function f(): Readable;
`;

const good = `/** Good (pipe(2)). */
export declare class A<T> {
    #private;
    protected readonly own: C;
    /** Made elsewhere. @internal */
    constructor(own: C);
    /** Good. */
    get b(): number;
    set b(value: number);
    /** Good. @throws IpcError */
    waitSync(options: {
        timeout: number;
    }): T;
}
/** Good. */
export interface B {
    /** Good. */
    readonly b: A<Error>;
}
`;

test("nothing is found where all is well", () => {
  const api = planted(good);
  assert.deepEqual([undocumented(api), hidden(api), withoutErrors(api), withoutSource(api)], [[], [], [], []]);
});

const mistakes: readonly (readonly [what: string, good: string, bad: string, found: RegExp])[] = [
  ["a class without a comment", "/** Good (pipe(2)). */\n", "", /^A$/m],
  ["an interface without a comment", "/** Good. */\nexport interface", "export interface", /^B$/m],
  ["a method without a comment", "    /** Good. @throws IpcError */\n", "", /^A\.waitSync$/m],
  ["a getter without a comment", "    /** Good. */\n    get", "    get", /^A\.b$/m],
  ["a constructor without a comment", "    /** Made elsewhere. @internal */\n", "", /^A\.constructor$/m],
  ["an option without a comment", "    /** Good. */\n    readonly b", "    readonly b", /^B\.b$/m],
  ["one form of several without a comment", "    waitSync(", "    waitSync(): void;\n    waitSync(", /^A\.waitSync$/m],
  ["a type that is not exported", "readonly b: A<Error>", "readonly b: C", /^B names C, which is not exported$/m],
  ["a base class that is not exported", "class A<T> {", "class A<T> extends C {", /^A names C,/m],
  ["a call that waits and says no error", "Good. @throws IpcError", "Good.", /^A\.waitSync$/m],
  ["a class that says no source", "Good (pipe(2)).", "Good.", /^A$/m],
];

for (const [what, before, after, found] of mistakes) {
  test(`the check finds ${what}`, () => {
    assert.ok(good.includes(before));
    const api = planted(good.replace(before, after));
    const all = [...undocumented(api), ...hidden(api), ...withoutErrors(api), ...withoutSource(api)];
    assert.match(all.join("\n"), found);
  });
}

test("the check finds a function without a comment", () => {
  const api = exportsOf((path) =>
    path === INDEX ? 'export { f } from "./a.ts";\n' : "export declare function f(): void;\n",
  );
  assert.deepEqual(undocumented(api), ["f"]);
});
