// What a task has of our kernel's semaphores, mutexes, read/write locks, condition variables and barriers, called as the C
// library's are: by the same names, with the same arguments and results. The objects that all tasks share have names, by their
// kind and number.

import {
  type Barrier,
  type Condition,
  IpcError,
  type Kernel,
  type LockGuard,
  type Mutex,
  type ReadWriteLock,
  type Semaphore,
  type SyncWaitOptions,
} from "../../src/index.ts";
import { type CallName, nameOfNumber, objectKinds } from "./calls.ts";
import * as is from "./flags.ts";
import { EOWNERDEAD, type FunctionName, isFunction, mutexTypes, partsAfter, passes } from "./library-calls.ts";
import type { Slot } from "./mailbox.ts";

const EBADF = -9;
const EAGAIN = -11;
const EBUSY = -16;
const MS_PER_SECOND = 1e3;
const NANOSECONDS_PER_MS = 1e6;

export class KernelObjects {
  readonly #kernel: Kernel;
  readonly #slot: Slot;
  readonly #semaphores = new Map<number, Semaphore>();
  /** Opened when a call first wants them. */
  readonly #mutexes = new Map<number, Mutex>();
  readonly #rwlocks = new Map<number, ReadWriteLock>();
  readonly #conditions = new Map<number, Condition>();
  readonly #barriers = new Map<number, Barrier>();

  constructor(kernel: Kernel, slot: Slot) {
    this.#kernel = kernel;
    this.#slot = slot;
  }

  /** Makes the call that the slot asks for; a negative errno where it fails. */
  make(): number {
    const name = nameOfNumber.get(this.#slot.number) as CallName;
    const args = [0, 1, 2, 3, 4].map((i) => Number(this.#slot.argument(i)));
    const pass = passes[name];
    if (!pass)
      return this.#result(() => (isFunction(name) ? this.#called(name, args) : this.#administered(name, args)));
    const result = this.#result(() => this.#called(pass.first, args));
    for (const [next, object] of partsAfter(pass, result, args)) this.#called(next, [object]);
    return result;
  }

  /** Closes all that is open, which lets go of all that is held. */
  reset(): void {
    for (const mutex of this.#mutexes.values()) this.#letGo(() => mutex.unlock());
    for (const lock of this.#rwlocks.values()) this.#letGo(() => lock.unlock());
    for (const kind of [this.#semaphores, this.#conditions, this.#mutexes, this.#rwlocks, this.#barriers]) {
      for (const one of kind.values()) one.close();
      kind.clear();
    }
  }

  /** Removes the names of the objects of a kind; of those that there are. */
  forget(kind: number, object: number): number {
    const name = objectName(objectKinds[kind] ?? "", object);
    const unlink = [
      () => this.#kernel.unlinkMutex(name),
      () => this.#kernel.unlinkRwlock(name),
      () => this.#kernel.unlinkCondition(name),
      () => this.#kernel.unlinkBarrier(name),
    ][kind];
    return this.#result(() => unlink?.());
  }

  /** As often as it is held. */
  #letGo(unlock: () => void): void {
    for (let result = 0; result === 0; ) result = this.#result(unlock);
  }

  /** A call's errno where it throws; nothing, or that something was got, is 0. */
  #result(call: () => unknown): number {
    try {
      const result = call();
      return typeof result === "number" ? result : 0;
    } catch (error) {
      if (error instanceof IpcError) return error.errno;
      throw error;
    }
  }

  #called(name: FunctionName, [first = 0, second = 0, third = 0]: readonly number[]): unknown {
    if (name.startsWith("sem_")) return this.#ofSemaphore(name, this.#semaphores.get(first), second);
    if (name.startsWith("pthread_mutex_")) return this.#ofMutex(name, this.#mutex(first), second);
    if (name.startsWith("pthread_rwlock_")) return this.#ofRwlock(name, this.#rwlock(first), second);
    if (name.startsWith("pthread_cond_")) return this.#ofCondition(name, this.#condition(first), second, third);
    return this.#barrier(first).waitSync() ? 1 : 0;
  }

  #ofSemaphore(name: FunctionName, semaphore: Semaphore | undefined, time: number): unknown {
    if (!semaphore) return EBADF;
    if (name === "sem_post") return semaphore.post();
    if (name === "sem_wait") return semaphore.waitSync();
    if (name === "sem_timedwait") return semaphore.waitSync(this.#until(time));
    if (name === "sem_trywait") return semaphore.tryWait() ? 0 : EAGAIN;
    return semaphore.value;
  }

  #ofMutex(name: FunctionName, mutex: Mutex, time: number): unknown {
    if (name === "pthread_mutex_unlock") return mutex.unlock();
    if (name === "pthread_mutex_consistent") return mutex.markConsistent();
    if (name === "pthread_mutex_trylock") return newsOf(mutex.tryLock());
    return newsOf(mutex.lockSync(name === "pthread_mutex_timedlock" ? this.#until(time) : {}));
  }

  #ofRwlock(name: FunctionName, lock: ReadWriteLock, time: number): unknown {
    if (name === "pthread_rwlock_unlock") return lock.unlock();
    if (name === "pthread_rwlock_tryrdlock") return lock.tryReadLock() ? 0 : EBUSY;
    if (name === "pthread_rwlock_trywrlock") return lock.tryWriteLock() ? 0 : EBUSY;
    const until = name.includes("timed") ? this.#until(time) : {};
    return name.endsWith("rdlock") ? lock.readLockSync(until) : lock.writeLockSync(until);
  }

  #ofCondition(name: FunctionName, condition: Condition, mutex: number, time: number): unknown {
    if (name === "pthread_cond_signal") return condition.signal();
    if (name === "pthread_cond_broadcast") return condition.broadcast();
    const until = name === "pthread_cond_timedwait" ? this.#until(time) : {};
    return newsOf(condition.waitSync(this.#mutex(mutex), until));
  }

  /** Of an absolute time: how long that is from now. */
  #until(at: number): SyncWaitOptions {
    const { view } = this.#slot;
    const when =
      Number(view.getBigInt64(at, true)) * MS_PER_SECOND + Number(view.getBigInt64(at + 8, true)) / NANOSECONDS_PER_MS;
    return { timeout: Math.max(0, when - Date.now()) };
  }

  #administered(name: CallName, [object = 0, second = 0, flags = 0, mode = 0, value = 0]: readonly number[]): unknown {
    if (name === "sem_open") return this.#openSemaphore(object, this.#text(second), flags, mode, value);
    if (name === "sem_close") return this.#closeSemaphore(object);
    if (name === "sem_unlink") return this.#kernel.unlinkSemaphore(this.#text(object));
    const making = (kind: string) => ({ name: objectName(kind, object), create: true, exclusive: true });
    if (name === "pthread_mutex_init") {
      const type = mutexTypes[second] ?? "normal";
      this.#mutexes.set(object, this.#kernel.mutex({ ...making("mutex"), type }));
    } else if (name === "pthread_rwlock_init") this.#rwlocks.set(object, this.#kernel.rwlock(making("rwlock")));
    else if (name === "pthread_cond_init") this.#conditions.set(object, this.#kernel.condition(making("condition")));
    else this.#barriers.set(object, this.#kernel.barrier({ ...making("barrier"), parties: second }));
    return 0;
  }

  #openSemaphore(handle: number, name: string, flags: number, mode: number, value: number): number {
    const create = (flags & is.O_CREAT) !== 0;
    const exclusive = (flags & is.O_EXCL) !== 0;
    const making = create ? { create, exclusive, mode, value } : {};
    this.#semaphores.set(handle, this.#kernel.semaphore({ name, ...making }));
    return 0;
  }

  #closeSemaphore(handle: number): number {
    const semaphore = this.#semaphores.get(handle);
    if (!semaphore) return EBADF;
    this.#semaphores.delete(handle);
    semaphore.close();
    return 0;
  }

  #mutex(object: number): Mutex {
    return opened(this.#mutexes, object, () => this.#kernel.mutex({ name: objectName("mutex", object) }));
  }

  #rwlock(object: number): ReadWriteLock {
    return opened(this.#rwlocks, object, () => this.#kernel.rwlock({ name: objectName("rwlock", object) }));
  }

  #condition(object: number): Condition {
    return opened(this.#conditions, object, () => this.#kernel.condition({ name: objectName("condition", object) }));
  }

  #barrier(object: number): Barrier {
    return opened(this.#barriers, object, () => this.#kernel.barrier({ name: objectName("barrier", object) }));
  }

  /** A text in scratch memory, up to its zero. */
  #text(at: number): string {
    const { scratch } = this.#slot;
    return Buffer.from(scratch.subarray(at, scratch.indexOf(0, at))).toString("latin1");
  }
}

const objectName = (kind: string, object: number): string => `${kind}-${object}`;

/** What locking a mutex says: that it is held, that its owner died, or nothing. */
function newsOf(guard: LockGuard | undefined): number {
  if (guard === undefined) return EBUSY;
  return guard.ownerDied ? EOWNERDEAD : 0;
}

function opened<T>(known: Map<number, T>, object: number, open: () => T): T {
  const one = known.get(object) ?? open();
  known.set(object, one);
  return one;
}
