// The tasks of a kernel: slots in the region. A slot's states, by IDENTITY and PID:
//
//   0, 0          FREE
//   identity, 0   CLAIMED by a task that attaches or detaches, or a dead one that is being buried
//   identity, pid ALIVE, as long as the operating system says so of the identity
//
// Attaching claims by one compare-exchange, of 0 or of a dead task's identity, and PUBLISHES the pid by one store. What a
// death in between leaves behind is a claimed slot with a dead identity, which the next who needs a slot claims again.

import { ENOSPC } from "../abi/errno.ts";
import { PID_BOUND } from "../abi/limits.ts";
import { bitOf, SIGPIPE } from "../abi/signals.ts";
import { type Geometry, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";
import { taskSlot } from "../sync/bell.ts";
import type { Pid } from "../sync/robust-lock.ts";
import type { World } from "../sync/world.ts";
import { Credentials, type Identity } from "./credentials.ts";

export interface TaskInfo {
  /** In the kernel. */
  readonly pid: number;
  /** The task that started this one, 0 where none did. */
  readonly parentPid: number;
  /** The process, for the operating system. */
  readonly osPid: number;
  /** The thread in it. */
  readonly osThreadId: number;
  readonly state: "alive" | "dead";
}

export class TaskTable {
  readonly #words: Words;
  readonly #geometry: Geometry;
  readonly #world: World;

  constructor(words: Words, geometry: Geometry, world: World) {
    this.#words = words;
    this.#geometry = geometry;
    this.#world = world;
  }

  /** Claims a slot for this thread and publishes its pid; ENOSPC where `tasksMax` tasks are alive. */
  attach(parentPid: number, identity: Identity): { pid: Pid; inherited: boolean } | typeof ENOSPC {
    for (const inherited of [false, true]) {
      for (const slot of this.slots()) {
        if (this.#claim(slot, inherited)) return { pid: this.#publish(slot, parentPid, identity), inherited };
      }
    }
    return ENOSPC;
  }

  isAlive(pid: Pid): boolean {
    const slot = taskSlot(this.#geometry, pid);
    if (this.#words.load(field(slot, task.PID)) !== pid) return false;
    const identity = this.identityAt(slot);
    if (this.#words.load(field(slot, task.PID)) !== pid) return false; // the identity may be the next task's
    return identity === this.#world.identity || this.#world.isAlive(identity);
  }

  *slots(): Generator<Word> {
    for (let i = 0; i < this.#geometry.limits.tasksMax; i++) yield field(this.#geometry.tasks, i * task.WORDS);
  }

  identityAt(slot: Word): bigint {
    return this.#words.load64(field(slot, task.IDENTITY));
  }

  pidAt(slot: Word): Pid {
    return this.#words.load(field(slot, task.PID)) as Pid;
  }

  /** Somebody's slot whose thread is gone. */
  isDead(slot: Word): boolean {
    const identity = this.identityAt(slot);
    return identity !== 0n && identity !== this.#world.identity && !this.#world.isAlive(identity);
  }

  /** The last of leaving or burying: the pid names nobody, the slot is free, unless another has claimed it meanwhile. */
  free(slot: Word, pid: Pid, identity: bigint): void {
    this.#words.compareExchange(field(slot, task.PID), pid, 0);
    this.#words.compareExchange64(field(slot, task.IDENTITY), identity, 0n);
  }

  indexOf(slot: Word): number {
    return (slot - this.#geometry.tasks) / task.WORDS;
  }

  list(): TaskInfo[] {
    const found: TaskInfo[] = [];
    for (const slot of this.slots()) {
      const pid = this.pidAt(slot);
      if (pid === 0) continue;
      found.push({
        pid,
        parentPid: this.#words.load(field(slot, task.PARENT_PID)),
        osPid: this.#words.load(field(slot, task.OS_PID)),
        osThreadId: this.#words.load(field(slot, task.OS_THREAD_ID)),
        state: this.isAlive(pid) ? "alive" : "dead",
      });
    }
    return found;
  }

  #claim(slot: Word, fromTheDead: boolean): boolean {
    const seen = this.identityAt(slot);
    if (fromTheDead ? !this.isDead(slot) : seen !== 0n) return false;
    const claimed = this.#words.compareExchange64(field(slot, task.IDENTITY), seen, this.#world.identity) === seen;
    if (claimed) this.#words.store(field(slot, task.PID), 0); // a dead task's pid must not look alive for our sake
    return claimed;
  }

  #publish(slot: Word, parentPid: number, identity: Identity): Pid {
    const words = this.#words;
    const { tasksMax } = this.#geometry.limits;
    const first = (slot - this.#geometry.tasks) / task.WORDS + 1;
    const last = words.get(field(slot, task.LAST_PID));
    const next = last === 0 ? first : last + tasksMax;
    const pid = (next < PID_BOUND ? next : first) as Pid;
    words.set(field(slot, task.LAST_PID), pid);
    words.set(field(slot, task.PARENT_PID), parentPid);
    words.set(field(slot, task.OS_PID), this.#world.osPid);
    words.set(field(slot, task.OS_THREAD_ID), this.#world.osThreadId);
    Credentials.write(words, slot, identity);
    for (let i = task.SIGNALS_PENDING; i < task.PROCESS_GROUP; i++) words.set(field(slot, i), 0);
    words.set(field(slot, task.SIGNALS_IGNORED), Number(bitOf(SIGPIPE))); // as Node does
    const group = words.load(field(taskSlot(this.#geometry, parentPid as Pid), task.PROCESS_GROUP));
    words.set(field(slot, task.PROCESS_GROUP), parentPid > 0 && group > 0 ? group : pid);
    words.set(field(slot, task.ENDED_BY), 0);
    words.set(field(slot, task.HOST_THREAD), this.#world.hostThread);
    words.store(field(slot, task.BELL), 0);
    words.store(field(slot, task.PID), pid); // PUBLISHES the task → observed in isAlive()
    return pid;
  }
}
