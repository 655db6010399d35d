// fanga sem create, wait, post and get

import { IpcError } from "../../api/ipc-error.ts";
import type { Kernel } from "../../api/kernel.ts";
import type { Semaphore } from "../../api/semaphore.ts";
import type { Command, Parameter } from "../command.ts";
import { EXIT_OK, Failure } from "../failure.ts";
import { openKernel } from "../kernels.ts";
import { addressOfNew, nameIn, openObject, type Target, targetOf } from "../open-object.ts";
import { kernelOption } from "../option.ts";
import { modeOf, modeOption } from "../values.ts";
import { patienceOf, patiently, waitingOptions } from "../waiting.ts";

const KINDS = ["semaphore"] as const;
const VALUE_MOST = 2 ** 31 - 1;

const parameter: Parameter = { name: "NAME", description: "a semaphore", completes: { objects: KINDS } };

const create: Command = {
  name: "create",
  summary: "make a semaphore",
  notes: "It stays until fanga rm removes it. The kernel is made too where it is not there.",
  options: {
    ...kernelOption,
    value: { type: "string", short: "v", value: "N", description: "what it counts from; default 0" },
    ...modeOption,
  },
  parameters: [{ name: "NAME", description: "its name" }],
  examples: [["fanga sem create --value 3 builds", "three at a time"]],

  run(context, given) {
    const value = given.number("value", { most: VALUE_MOST }) ?? 0;
    const name = nameIn(addressOfNew(given, given.word(0), KINDS));
    using kernel = openKernel(context, given, { create: true });
    try {
      kernel.semaphore({ name, value, mode: modeOf(given), create: true, exclusive: true }).close();
    } catch (error) {
      if (!(error instanceof IpcError && error.code === "EEXIST")) throw error;
      throw new Failure(`there is a semaphore "${name}" already: fanga rm removes it`);
    }
    return EXIT_OK;
  },
};

const wait: Command = {
  name: "wait",
  summary: "take one from a semaphore, waiting until there is one",
  notes: `
Nobody owns what was taken: a script that ends before its fanga sem post has taken it for
good. For a lock that a crash gives back use fanga lock.`,
  options: { ...kernelOption, ...waitingOptions },
  parameters: [parameter],
  examples: [["fanga sem wait builds && make; fanga sem post builds", "make when there is a place"]],

  async run(context, given) {
    const patience = patienceOf(given);
    const target = targetOf(given, given.word(0), KINDS);
    using kernel = openKernel(context, given);
    using semaphore = await open(kernel, target);
    await patiently(semaphore.wait(patience), patience, () => `semaphore "${given.word(0)}" is 0`);
    return EXIT_OK;
  },
};

const post: Command = {
  name: "post",
  summary: "give one back to a semaphore, or add one",
  options: {
    ...kernelOption,
    count: { type: "string", short: "c", value: "N", description: "so many, one after the other" },
  },
  parameters: [parameter],

  async run(context, given) {
    const count = given.number("count", { least: 1, most: VALUE_MOST }) ?? 1;
    const target = targetOf(given, given.word(0), KINDS);
    using kernel = openKernel(context, given);
    using semaphore = await open(kernel, target);
    for (let posted = 0; posted < count; posted++) semaphore.post();
    return EXIT_OK;
  },
};

const get: Command = {
  name: "get",
  summary: "print how many can be taken from a semaphore now",
  options: kernelOption,
  parameters: [parameter],

  async run(context, given) {
    const target = targetOf(given, given.word(0), KINDS);
    using kernel = openKernel(context, given);
    using semaphore = await open(kernel, target);
    context.stdout.write(`${semaphore.value}\n`);
    return EXIT_OK;
  },
};

export const sem: Command = {
  name: "sem",
  summary: "make semaphores, take from them and give back",
  subcommands: [create, wait, post, get],
};

const open = (kernel: Kernel, target: Target): Promise<Semaphore> =>
  openObject(kernel, target, "fanga sem create", (address) => kernel.semaphore({ name: nameIn(address) }));
