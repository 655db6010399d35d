// The options of commands, as data, and what a shell can offer in a place of a command line.

/** What a shell can offer in a place: objects of some kinds, or of any; or words. */
export type Completion =
  | { readonly objects: readonly string[] | "all" }
  | "kernels"
  | "tasks"
  | "signals"
  | "files"
  | "commands"
  | readonly string[];

/** An option, in the form of node:util's parseArgs. */
export interface Option {
  readonly type: "boolean" | "string";
  readonly short?: string;
  /** It may be given several times. */
  readonly multiple?: boolean;
  /** Of a string: what the help calls its value, such as "NAME". */
  readonly value?: string;
  readonly description: string;
  readonly completes?: Completion;
}

export type Options = { readonly [name: string]: Option };

/** The options that every command has. */
export const commonOptions: Options = {
  help: { type: "boolean", short: "h", description: "show this help" },
};

/** The option of every command that works on one kernel: see kernels.ts. */
export const kernelOption: Options = {
  kernel: {
    type: "string",
    short: "k",
    value: "NAME",
    description: "the kernel; else $FANGA_KERNEL, or the only one there is",
    completes: "kernels",
  },
};
