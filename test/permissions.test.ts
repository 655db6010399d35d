// Who may open what, by the handles of the API (path_resolution(7), sysvipc(7)). That of system calls is in files.test.ts, and
// beside Linux in the differential test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { overWorlds } from "./worlds.ts";

overWorlds((world) => {
  test("another user's queue, FIFO and segment open only as far as their modes permit", async (t) => {
    const kernel = world.createKernel();
    if (kernel.sys.geteuid() !== 0) return t.skip("only user 0 becomes another");
    const make = (name: string, mode: number): void => {
      kernel.queue({ name, create: true, mode });
      kernel.mkfifo(name, { mode });
      kernel.sharedMemory({ name, create: true, bytes: 64, mode });
    };
    kernel.sys.umask(0);
    make("private", 0o600);
    make("readable", 0o644);
    make("open", 0o666);
    const seen = async (name: string): Promise<unknown> =>
      (await world.startTask(kernel, "openAsUser", { user: 1000, name })).result();
    const [no, yes] = ["EACCES", "nothing"];
    const opened = (queue: string, fifo: string, segment: string, toRead: string) => ({
      queue,
      fifo,
      segment,
      "segment to read": toRead,
      "unlink the segment": "EPERM",
    });
    assert.deepEqual(await seen("private"), opened(no, no, no, no));
    assert.deepEqual(await seen("readable"), opened(no, yes, no, yes));
    assert.deepEqual(await seen("open"), opened(yes, yes, yes, yes));
  });
});
