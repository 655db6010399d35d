// What the tests of locks share that look at each store: one object, and three tasks of one thread that have it open.

import assert from "node:assert/strict";
import type { Making } from "../src/kernel/opening.ts";
import type { System } from "../src/kernel/system.ts";
import { access } from "../src/memory/layout.ts";
import { AWAITED, type Node, stateOf, WAITING, WOKEN } from "../src/sync/wait-list.ts";
import { enlistFor, type Condition as Waited } from "../src/sync/waiting.ts";
import type { World } from "../src/sync/world.ts";
import { bytes, Machine } from "./crash-fixture.ts";
import { dies, MortalWords } from "./memory-fixture.ts";

/** One object, open by a victim and two survivors. */
export class Scene<T> {
  readonly machine = new Machine();
  readonly words = new MortalWords(this.machine.buffer);
  readonly world: World = this.machine.world();
  readonly victim: System;
  readonly survivor: System;
  readonly third: System;
  readonly of: readonly [victim: T, survivor: T, third: T];

  constructor(kind: number, making: (system: System) => Making, view: new (system: System, bodyLine: number) => T) {
    this.survivor = this.machine.attach();
    this.third = this.machine.attach();
    this.victim = this.machine.attach(this.words, this.world);
    const address = { kind, name: bytes("x") };
    const open = (system: System): T => {
      const opened = system.open(address, { access: access.READ | access.WRITE, create: making(system) });
      assert.ok(typeof opened !== "number");
      return new view(system, opened.bodyLine);
    };
    this.of = [open(this.victim), open(this.survivor), open(this.third)];
  }

  /** A node of a system's that waits for a condition. */
  wait(system: System, waited: Waited, want = 1): Node {
    const at = system.nodes.claim() as Node;
    assert.ok(waited.monitor.enlist(at, AWAITED, want, () => false, waited.selector));
    return at;
  }

  /** The same for a thread that is about to sleep. */
  sleep(system: System, waited: Waited): Node {
    const at = system.nodes.claim() as Node;
    assert.ok(enlistFor(waited, at, WAITING, 1));
    return at;
  }

  isWoken(system: System, at: Node): boolean {
    return system.words.load(stateOf(at)) === WOKEN;
  }

  /** The victim does something, and dies after so many writes of it, or when it is done. Returns whether it died before. */
  kill(run: () => void, writes: number): boolean {
    this.words.writesLeft = writes;
    const died = dies(run);
    this.machine.kill(this.world);
    this.survivor.reap();
    return died;
  }
}

export function atEveryWrite(run: (writes: number) => boolean): void {
  for (let writes = 0; run(writes); writes++);
}
