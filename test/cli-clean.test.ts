// fanga clean: what it buries, what it removes, and what it leaves alone.

import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";
import { test } from "node:test";
import { limitDefaults } from "../src/abi/limits.ts";
import { Kernel } from "../src/index.ts";
import { header } from "../src/memory/layout.ts";
import { isRefusal } from "../src/memory/region.ts";
import { createRegionFile } from "../src/platforms/region-file.ts";
import { fanga, fangaHere, fangaOk, kernelName, killHard, lookAt, openKernel, startTask, until } from "./fanga.ts";

const isThere = (name: string): boolean => Kernel.names().includes(name);

/** A kernel whose only task was killed while it held a mutex. */
async function deserted(): Promise<string> {
  const name = kernelName();
  const task = startTask(name, `kernel.mutex({ name: "m", create: true }).lockSync(); setInterval(() => {}, 1000);`);
  await until(name, ({ objects }) => objects.some(({ holders }) => holders.length > 0));
  await killHard(task);
  return name;
}

test("fanga clean buries the dead of a kernel in which others live, and their locks are free", async () => {
  const { kernel, name } = openKernel();
  const mutex = kernel.mutex({ name: "m", create: true });
  const task = startTask(name, `kernel.mutex({ name: "m" }).lockSync(); setInterval(() => {}, 1000);`);
  const { objects } = await until(name, (seen) => seen.objects.some(({ holders }) => holders.length > 0));
  const pid = objects[0]?.holders[0];
  await killHard(task);
  const would = await fangaOk(["clean", "--dry-run", "--kernel", name]);
  assert.equal(would, `would bury 1 dead task in kernel ${name}: ${pid}\n`);
  assert.equal(mutex.owner, pid, "it only told");
  assert.equal(await fangaOk(["clean", "--kernel", name]), `buried 1 dead task in kernel ${name}: ${pid}\n`);
  assert.equal(mutex.owner, 0);
  assert.deepEqual(
    lookAt(name).tasks.map((one) => one.pid),
    [kernel.pid],
  );
  assert.equal(await fangaOk(["clean", "--kernel", name]), "nothing to clean\n");
});

test("fanga clean removes a kernel whose last task was killed", async () => {
  const name = await deserted();
  const why = `1 task died in it, and nobody lives there, with 1 object`;
  assert.equal(await fangaOk(["clean", "-n", "-k", name]), `would remove kernel ${name}: ${why}\n`);
  assert.ok(isThere(name));
  assert.equal(await fangaOk(["clean", "-k", name]), `removed kernel ${name}: ${why}\n`);
  assert.ok(!isThere(name));
});

test("fanga clean keeps what was left in good order and holds something, unless it is told --all", async () => {
  const name = kernelName();
  const kernel = Kernel.open(name, { create: true });
  kernel.queue({ name: "jobs", create: true });
  kernel.close();
  const told = await fangaOk(["clean", "-k", name]);
  assert.equal(told, `kept kernel ${name}: nobody lives there, but it holds queue:jobs (--all removes it)\n`);
  assert.ok(isThere(name));
  const removed = await fangaOk(["clean", "--all", "-k", name]);
  assert.equal(removed, `removed kernel ${name}: nobody lives there, with 1 object\n`);
  assert.ok(!isThere(name));
});

test("fanga clean removes a kernel that is empty and deserted, and one from before the machine was started", async () => {
  const name = kernelName();
  Kernel.open(name, { create: true }).close();
  assert.equal((await fangaHere(["clean", "-k", name])).stdout, `removed kernel ${name}: nobody lives there\n`);
  const { name: old } = openKernel();
  writeWord(old, header.BOOT_ID, 4711);
  const { stdout } = await fangaHere(["clean", "-k", old]);
  assert.equal(stdout, `removed kernel ${old}: it is from before the machine was started\n`);
  assert.ok(!isThere(old));
});

test("fanga clean leaves alone what it cannot read, and a kernel that is being made", async () => {
  const { name } = openKernel();
  writeWord(name, header.VERSION, 99);
  const { status, stderr } = await fanga(["clean", "--all", "-k", name]);
  assert.equal(status, 0);
  assert.match(stderr, /^fanga: left alone: .*version 99/);
  assert.ok(isThere(name));
  const young = kernelName();
  const made = createRegionFile(young, limitDefaults); // as Kernel.open makes it, before it attaches
  assert.ok(!isRefusal(made));
  assert.equal((await fangaHere(["clean", "--all", "-k", young])).stdout, "nothing to clean\n");
  assert.ok(isThere(young));
  made.unmap();
});

function writeWord(name: string, word: number, value: number): void {
  const file = openSync(`/dev/shm/fangaos.${name}`, "r+");
  writeSync(file, new Int32Array([value]), 0, 4, 4 * word);
  closeSync(file);
}
