// What the commands of the tests share: options by name, each a text with a default; --help; and what is wrong said in one line.

import { parseArgs } from "node:util";

export class CommandLine<N extends string> {
  readonly #usage: string;
  readonly #values: Record<string, string | undefined>;

  /** `defaults` names the options; one without a default is undefined where it is not given. */
  constructor(usage: string, defaults: Record<N, string | undefined>) {
    this.#usage = usage;
    this.#values = this.#parse(defaults);
  }

  text(name: N): string {
    return this.#values[name] ?? "";
  }

  given(name: N): string | undefined {
    return this.#values[name];
  }

  /** A whole number up to `most`. */
  count(name: N, most = 0xffffffff): number {
    const value = this.text(name);
    if (!/^\d+$/.test(value) || Number(value) > most) {
      this.fail(`--${name} must be a whole number up to ${most}, not ${value}`);
    }
    return Number(value);
  }

  fail(message: string): never {
    process.stderr.write(`${message}\n${this.#usage}\n`);
    process.exit(2);
  }

  #parse(defaults: Record<N, string | undefined>): Record<string, string | undefined> {
    const options: Record<string, { type: "string" | "boolean" }> = { help: { type: "boolean" } };
    for (const name of Object.keys(defaults)) options[name] = { type: "string" };
    try {
      const { values } = parseArgs({ options });
      if (values.help) {
        process.stdout.write(`${this.#usage}\n`);
        process.exit(0);
      }
      return { ...defaults, ...(values as Record<string, string>) };
    } catch (error) {
      return this.fail((error as Error).message);
    }
  }
}

/** Another seed each time. */
export const anySeed = (): string => String(Date.now() % 1_000_000);

/** Says on standard error how far it is, at most every five seconds. */
export function progress(of: number, what: string): (done: number) => void {
  let shown = Date.now();
  return (done) => {
    if (Date.now() - shown < 5000) return;
    shown = Date.now();
    process.stderr.write(`${done} of ${of} ${what}\n`);
  };
}
