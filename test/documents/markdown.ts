// The documents as tests see them: their fenced blocks, and the programs among these.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const project = fileURLToPath(new URL("../../../", import.meta.url));

export interface Block {
  readonly heading: string;
  /** What follows the fence, such as "js runnable". */
  readonly language: string;
  readonly text: string;
}

export interface Program {
  readonly heading: string;
  readonly file: string;
  readonly text: string;
  /** What it must print; nothing where the document shows nothing. */
  readonly output: string;
}

/** Fenced blocks, each with the heading that it stands under. */
export function blocksOf(markdown: string): Block[] {
  const found: Block[] = [];
  let heading = "";
  for (const match of markdown.matchAll(/^#+ (.+)$|^```([^\n]*)\n([\s\S]*?)^```$/gm)) {
    if (match[1] !== undefined) heading = match[1];
    else found.push({ heading, language: (match[2] as string).trim(), text: match[3] as string });
  }
  return found;
}

/** Blocks marked runnable. What such a program prints stands in the next block, of language text. */
export function programsOf(blocks: readonly Block[]): Program[] {
  return blocks.flatMap(({ heading, language, text }, i) => {
    const [, extension] = /^(js|ts|sh) runnable$/.exec(language) ?? [];
    if (extension === undefined) return [];
    const next = blocks[i + 1];
    const output = next?.language === "text" && next.heading === heading ? next.text : "";
    return [{ heading, file: `program-${i}.${extension}`, text, output }];
  });
}

export interface Document {
  /** In the repository: docs/guides/threads.md. */
  readonly path: string;
  readonly text: string;
}

/** What is made of the code shows declarations, not programs. */
const isGenerated = (path: string): boolean => path.startsWith("docs/reference/");

/** Those that people write. */
export function documents(): Document[] {
  const below = readdirSync(join(project, "docs"), { recursive: true, encoding: "utf8" }).sort();
  const paths = below.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`);
  return ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", ...paths]
    .filter((path) => !isGenerated(path))
    .map((path) => ({ path, text: readFileSync(join(project, path), "utf8") }));
}
