// The documents that are made of data are what the data makes, and the data is what the mission says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type ErrnoName, errnos } from "../src/abi/errno.ts";
import { syscalls } from "../src/abi/syscalls.ts";
import { documents } from "../tools/documents.ts";
import { overWorlds } from "./worlds.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

for (const [path, text] of Object.entries(documents)) {
  test(`${path} is up to date`, () => {
    assert.equal(readFileSync(`${root}${path}`, "utf8"), text(), `${path} is stale: npm run docs`);
  });
}

test("the mission's system calls have the mission's numbers", () => {
  const summary = {
    pipe: 22,
    kill: 62,
    shmget: 29,
    shmat: 30,
    shmdt: 67,
    shmctl: 31,
    msgget: 68,
    msgsnd: 69,
    msgrcv: 70,
  };
  const ours = Object.fromEntries(syscalls.filter(({ mission }) => mission).map(({ name, number }) => [name, number]));
  assert.deepEqual(ours, Object.fromEntries(Object.entries(summary).sort((a, b) => a[1] - b[1])));
});

test("the mission's error codes have the mission's values", () => {
  const table = { EINVAL: 22, EBADF: 9, ENOMEM: 12, ENOSYS: 38, EFAULT: 14, EACCES: 13, EPERM: 1, ESRCH: 3 };
  for (const [name, number] of Object.entries(table)) assert.equal(errnos[name as ErrnoName].number, number, name);
});

test("no two system calls have one number", () => {
  assert.equal(new Set(syscalls.map(({ number }) => number)).size, syscalls.length);
});

overWorlds((world) => {
  test("a system call that is not there is ENOSYS, and one that is listed as there is not", () => {
    const kernel = world.createKernel();
    assert.equal(kernel.syscall(4096), -38);
    // Without arguments they wait for the host's input, or for ever, or end the test.
    const left = ["read", "poll", "pause", "exit", "exit_group"];
    for (const { name, status } of syscalls) {
      if (left.includes(name)) continue;
      assert.equal(kernel.sys[name](-1) === -38, status === "later", name);
    }
  });
});
