// The files that kernels between processes live in: what is refused, and what is never left behind.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { test } from "node:test";
import { type ErrnoName, Kernel } from "../src/index.ts";
import { header } from "../src/memory/layout.ts";
import { regionPath } from "../src/platforms/region-file.ts";
import { packageUrl, runScript } from "./child-script.ts";
import { ipcError } from "./expectations.ts";
import { inWorld, until } from "./worlds.ts";

const small = { regionBytes: 1024 * 1024, tasksMax: 4, descriptorsMax: 16, objectsMax: 64, waitersMax: 64 } as const;

inWorld("processes", (world) => {
  const file = (): { name: string; path: string } => {
    const name = world.freshName();
    return { name, path: regionPath(name) };
  };

  /** A whole region that nobody is attached to. */
  const closedRegion = (): { name: string; path: string } => {
    const region = file();
    Kernel.open(region.name, { create: true, exclusive: true, ...small }).close();
    return region;
  };

  const poke = (path: string, word: number, value: number): void => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    const descriptor = openSync(path, "r+");
    writeSync(descriptor, bytes, 0, 4, word * 4);
    closeSync(descriptor);
  };

  /** That opening is refused with this error, both by name and by handle, and the file is as it was. */
  const refused = (name: string, code: ErrnoName, ...named: (string | RegExp)[]): void => {
    const path = regionPath(name);
    const isFile = lstatSync(path).isFile();
    const before = isFile ? readFileSync(path) : undefined;
    assert.throws(() => Kernel.open(name), ipcError(code, "open", `kernel "${name}"`, ...named));
    assert.throws(() => Kernel.open(name, { create: true }), ipcError(code, "open", ...named));
    assert.throws(() => Kernel.attach({ name, parentPid: 0 }), ipcError(code, "attach", ...named));
    if (before) assert.ok(readFileSync(path).equals(before), "the file is as it was");
  };

  test("a region file is for its owner alone: mode 0600", () => {
    const { path } = closedRegion();
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("a region file is sparse: an untouched kernel of a gigabyte takes a few megabytes at most", () => {
    const { name, path } = file();
    Kernel.open(name, { create: true, regionBytes: 1024 * 1024 * 1024 }).close();
    assert.equal(statSync(path).size, 1024 * 1024 * 1024);
    assert.ok(statSync(path).blocks * 512 < 4 * 1024 * 1024);
  });

  for (const bytes of [0, 1, 63, 100, 4096]) {
    test(`a region file cut to ${bytes} bytes is refused as truncated`, () => {
      const { name, path } = closedRegion();
      truncateSync(path, bytes);
      refused(name, "EIO", "truncated", `${bytes} bytes`);
    });
  }

  test("a region file cut by its last byte is refused as truncated", () => {
    const { name, path } = closedRegion();
    truncateSync(path, small.regionBytes - 1);
    refused(name, "EIO", "truncated");
  });

  test("a region file whose magic is not stored yet is EAGAIN: it is still being created", () => {
    const { name, path } = closedRegion();
    poke(path, header.MAGIC, 0);
    refused(name, "EAGAIN", "still being created", "try again");
  });

  test("a file of zeros of a region's size is EAGAIN too", () => {
    const { name, path } = file();
    writeFileSync(path, "");
    truncateSync(path, small.regionBytes);
    refused(name, "EAGAIN", "still being created");
  });

  test("a foreign file is EINVAL: it is not a FangaOS region", () => {
    const { name, path } = file();
    writeFileSync(path, Buffer.alloc(65_536, "some other program's"));
    refused(name, "EINVAL", "not a FangaOS region");
  });

  test("a region of another version is EOPNOTSUPP that names both versions", () => {
    const { name, path } = closedRegion();
    poke(path, header.VERSION, 999);
    refused(name, "EOPNOTSUPP", "version 999", /reads version \d+/, "one version for all");
  });

  test("a region made before the machine last started is ESTALE", () => {
    const { name, path } = closedRegion();
    poke(path, header.BOOT_ID, 12345);
    refused(name, "ESTALE", "unlink it");
  });

  test("a region of another pid namespace is EOPNOTSUPP", () => {
    const { name, path } = closedRegion();
    poke(path, header.PID_NAMESPACE, 12345);
    refused(name, "EOPNOTSUPP", "pid namespace");
  });

  for (const field of ["REGION_BYTES", "TASKS_MAX", "OBJECTS_MAX", "DESCRIPTORS_MAX", "WAITERS_MAX"] as const) {
    for (const value of [0, -1, 0x7fffffff]) {
      test(`a region whose ${field} reads ${value} is refused as damaged`, () => {
        const { name, path } = closedRegion();
        poke(path, header[field], value);
        refused(name, "EIO");
      });
    }
  }

  test("another user's region is EACCES that names the user", { skip: process.geteuid?.() !== 0 }, () => {
    const { name, path } = closedRegion();
    chownSync(path, 12345, 12345);
    refused(name, "EACCES", "user 12345");
  });

  test("a symbolic link to a region is refused", () => {
    const target = closedRegion();
    const { name, path } = file();
    symlinkSync(target.path, path);
    refused(name, "ELOOP");
  });

  test("a symbolic link that leads nowhere is refused too, and nothing is made at its end", () => {
    const { name, path } = file();
    const target = file();
    symlinkSync(target.path, path);
    refused(name, "ELOOP");
    assert.throws(() => lstatSync(target.path), { code: "ENOENT" });
  });

  test("a directory is refused", () => {
    const { name, path } = file();
    mkdirSync(path);
    refused(name, "EISDIR");
  });

  test("a FIFO in a region's place is refused, without waiting", () => {
    const { name, path } = file();
    assert.equal(spawnSync("mkfifo", [path]).status, 0);
    assert.throws(() => Kernel.open(name), ipcError("EINVAL", "open", "not a regular file"));
  });

  test("a copy of a region under another name is refused in no way that harms the first", () => {
    const first = closedRegion();
    const kernel = world.keep(Kernel.open(first.name));
    const { name, path } = file();
    copyFileSync(first.path, path);
    // The copy has the first's identity: this thread counts as attached to it.
    assert.throws(() => Kernel.open(name), ipcError("EBUSY", "open"));
    assert.equal(kernel.usage().tasks, 1);
  });

  test("processes that open-or-create one name at once all find the same kernel", async () => {
    const { name } = file();
    const script = `
      const kernel = ipc.Kernel.open(${JSON.stringify(name)}, { create: true, regionBytes: 1 << 20, tasksMax: 8,
        descriptorsMax: 16, waitersMax: 64, objectsMax: 64 });
      const queue = kernel.queue({ name: "roll", create: true });
      queue.sendSync(new Uint8Array([kernel.pid]));
    `;
    const ended = await Promise.all(Array.from({ length: 4 }, () => runScript(script)));
    assert.deepEqual(
      ended.map(({ status, stderr }) => [status, stderr]),
      ended.map(() => [0, ""]),
    );
    const kernel = world.keep(Kernel.open(name));
    assert.equal(kernel.queue({ name: "roll" }).length, 4);
  });

  test("a creator killed at any time leaves no file, or a whole region", async () => {
    const prefix = world.freshName();
    const script = `
      import { Kernel } from ${JSON.stringify(packageUrl)};
      console.log("go");
      for (let i = 0; ; i++) {
        const kernel = Kernel.open("${prefix}-" + i, { create: true, exclusive: true });
        kernel.close();
        Kernel.unlink("${prefix}-" + i);
      }
    `;
    for (let round = 0; round < 6; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => child.stdout.once("data", resolve));
      const until = performance.now() + round * 1.7;
      while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await exited;
      const left = readdirSync("/dev/shm").filter((name) => name.startsWith(`fangaos.${prefix}-`));
      assert.ok(left.length <= 1, left.join());
      for (const path of left) {
        const kernel = Kernel.open(path.slice("fangaos.".length));
        kernel.reap();
        const { objects, tasks } = kernel.usage();
        kernel.close();
        rmSync(`/dev/shm/${path}`);
        assert.deepEqual([objects, tasks], [0, 1]);
      }
    }
  });

  test("a process killed with kill -9 leaves a region that others carry on with", async () => {
    const { name } = file();
    const script = `
      import { Kernel } from ${JSON.stringify(packageUrl)};
      const kernel = Kernel.open("${name}", { create: true, exclusive: true });
      kernel.queue({ name: "q", create: true }).sendSync(Buffer.from("legacy"));
      console.log("made");
      await kernel.queue().receive();
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
    const kernel = world.keep(Kernel.open(name));
    assert.equal(Buffer.from(kernel.queue({ name: "q" }).receiveSync({ timeout: 5000 }).data).toString(), "legacy");
    await until(() => kernel.reap() > 0 || kernel.tasks().length === 1, "the dead to be buried");
  });
});
