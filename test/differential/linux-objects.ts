// What a task has of Linux's C library: semaphores that it has opened, and the mutexes, read/write locks, condition variables
// and barriers in the memory that all tasks share. Calls run in machine code from "in the call" to "returned", so that a thread
// which sleeps is known to sleep in one.

import { nameOfNumber, numbers, OBJECTS, type ObjectKind, objectKinds } from "./calls.ts";
import { ENOTRECOVERABLE, type FunctionName, isFunction, partsAfter, passes, signatures } from "./library-calls.ts";
import { DONE, IN_CALL, places, RETURNED, type Slot } from "./mailbox.ts";
import { addressOfFunction, lastErrno, libraryFunction, makeFunctionTrampoline } from "./native.ts";

const OBJECT_BYTES = 64;
/** In a slot, behind the words that the mailbox uses: attributes of an object that is made, and the value of a semaphore. */
const ATTRIBUTES = 512;
const VALUE = 520;
const PTHREAD_PROCESS_SHARED = 1;
const PTHREAD_MUTEX_ROBUST = 1;
const PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP = 2;
const PTHREAD_BARRIER_SERIAL_THREAD = -1;
const EBADF = -9;

/** Functions by their parameters, each made once. */
const known = new Map<string, ReturnType<typeof libraryFunction>>();

function having(parameters: string): (name: string) => ReturnType<typeof libraryFunction> {
  return (name) => {
    const made = known.get(name) ?? libraryFunction(`int ${name}(${parameters})`);
    known.set(name, made);
    return made;
  };
}

const pointerToInt = having("uintptr_t object");
const pointerAndInt = having("uintptr_t object, int value");
const twoPointers = having("uintptr_t object, uintptr_t attributes");
const pointersAndCount = having("uintptr_t object, uintptr_t attributes, unsigned int count");

export class LinuxObjects {
  readonly #slot: Slot;
  readonly #shared: number;
  /** Of the semaphores that are open, by handle. */
  readonly #semaphores = new Map<number, number>();
  /** What the task may hold: mutexes that it has tried to lock, and read/write locks as often as it has locked them. */
  readonly #mutexes = new Set<number>();
  readonly #rwlocks = new Map<number, number>();
  readonly #functions = new Map<FunctionName, bigint>();
  readonly #trampoline = makeFunctionTrampoline({
    state: places.STATE,
    inCall: IN_CALL,
    returned: RETURNED,
    function: places.FUNCTION,
    args: places.FUNCTION_ARGUMENTS,
    result: places.RESULT,
  });
  readonly #semOpen = libraryFunction("intptr_t sem_open(uintptr_t name, int flags, int mode, unsigned int value)");
  readonly #semClose = pointerToInt("sem_close");
  readonly #semUnlink = pointerToInt("sem_unlink");

  constructor(slot: Slot, shared: number) {
    this.#slot = slot;
    this.#shared = shared;
  }

  /** Makes the call that the slot asks for. */
  make(): void {
    const slot = this.#slot;
    const args = [0, 1, 2, 3, 4].map((i) => Number(slot.argument(i)));
    const name = nameOfNumber.get(slot.number);
    const pass = name && passes[name];
    if (pass) {
      const result = this.#called(pass.first, args);
      for (const [next, object] of partsAfter(pass, result, args)) this.#afterwards(next, object);
      slot.result = result;
    } else slot.result = name && isFunction(name) ? this.#called(name, args) : this.#administered(slot.number, args);
    slot.state = DONE;
  }

  /** Lets go of all that the task holds. */
  reset(): void {
    for (const mutex of this.#mutexes) while (this.#afterwards("pthread_mutex_unlock", mutex) === 0);
    for (const [lock, times] of this.#rwlocks) {
      for (let i = 0; i < times; i++) this.#afterwards("pthread_rwlock_unlock", lock);
    }
    for (const semaphore of this.#semaphores.values()) this.#semClose(semaphore);
    this.#mutexes.clear();
    this.#rwlocks.clear();
    this.#semaphores.clear();
  }

  #called(name: FunctionName, args: readonly number[]): number {
    const { longs } = this.#slot;
    const values = signatures[name].map((kind, i) => this.#pointer(kind, args[i] as number));
    if (values.includes(0)) return EBADF;
    longs[places.FUNCTION / 8] = this.#address(name);
    values.forEach((value, i) => {
      longs[places.FUNCTION_ARGUMENTS / 8 + i] = BigInt(value);
    });
    this.#trampoline(this.#slot.address);
    const result = this.#resultOf(name, this.#slot.result);
    this.#remember(name, args, result);
    return result;
  }

  /** The same of a call that cannot sleep, as the second part of another: nobody sees its steps. */
  #afterwards(name: FunctionName, object: number): number {
    const [kind] = signatures[name];
    const result = Number(pointerToInt(name)(this.#pointer(kind, object)));
    this.#remember(name, [object], result);
    return result;
  }

  #pointer(kind: ObjectKind | "handle" | "time" | "value", argument: number): number {
    if (kind === "handle") return this.#semaphores.get(argument) ?? 0;
    if (kind === "value") return this.#slot.address + VALUE;
    return kind === "time" ? argument : this.#objectAt(kind, argument);
  }

  #objectAt(kind: ObjectKind, object: number): number {
    return this.#shared + OBJECT_BYTES * (OBJECTS * objectKinds.indexOf(kind) + object);
  }

  #address(name: FunctionName): bigint {
    const address = this.#functions.get(name) ?? addressOfFunction(name);
    this.#functions.set(name, address);
    return address;
  }

  /** Semaphores have errno, the others return it. */
  #resultOf(name: FunctionName, result: number): number {
    if (name === "sem_getvalue") return result === 0 ? Number(this.#slot.longs[VALUE / 8]) : lastErrno();
    if (name.startsWith("sem_")) return result === 0 ? 0 : lastErrno();
    return result === PTHREAD_BARRIER_SERIAL_THREAD ? 1 : -result;
  }

  #remember(name: FunctionName, args: readonly number[], result: number): void {
    if (name.startsWith("pthread_cond_") && args.length > 1) this.#mutexes.add(args[1] as number);
    if (name.startsWith("pthread_mutex_") && name.endsWith("lock")) this.#mutexes.add(args[0] as number);
    // Glibc's pthread_mutex_trylock keeps one that is not recoverable, and its pthread_mutex_unlock ends the process then.
    if (name === "pthread_mutex_trylock" && result === ENOTRECOVERABLE) this.#mutexes.delete(args[0] as number);
    if (!name.startsWith("pthread_rwlock_") || result !== 0) return;
    const [lock = 0] = args;
    const more = name === "pthread_rwlock_unlock" ? -1 : 1;
    this.#rwlocks.set(lock, (this.#rwlocks.get(lock) ?? 0) + more);
  }

  /** Calls that never sleep. */
  #administered(number: number, args: readonly number[]): number {
    this.#slot.state = RETURNED;
    const [object = 0, second = 0, flags = 0, mode = 0, value = 0] = args;
    if (number === numbers.sem_open) return this.#openSemaphore(object, second, flags, mode, value);
    if (number === numbers.sem_close) return this.#closeSemaphore(object);
    if (number === numbers.sem_unlink) return this.#semUnlink(object) === 0 ? 0 : lastErrno();
    if (number === numbers.pthread_mutex_init) return this.#initMutex(object, second);
    if (number === numbers.pthread_rwlock_init) return this.#initRwlock(object);
    if (number === numbers.pthread_cond_init) return this.#init("cond", "condition", object);
    if (number === numbers.pthread_barrier_init) return this.#initBarrier(object, second);
    throw new Error(`there is no call ${number}`);
  }

  #openSemaphore(handle: number, name: number, flags: number, mode: number, value: number): number {
    const semaphore = Number(this.#semOpen(name, flags, mode, value));
    if (semaphore === 0) return lastErrno();
    this.#semaphores.set(handle, semaphore);
    return 0;
  }

  #closeSemaphore(handle: number): number {
    const semaphore = this.#semaphores.get(handle);
    if (semaphore === undefined) return EBADF;
    this.#semaphores.delete(handle);
    return this.#semClose(semaphore) === 0 ? 0 : lastErrno();
  }

  #initMutex(mutex: number, type: number): number {
    return this.#init("mutex", "mutex", mutex, (attributes) => {
      pointerAndInt("pthread_mutexattr_setrobust")(attributes, PTHREAD_MUTEX_ROBUST);
      pointerAndInt("pthread_mutexattr_settype")(attributes, type);
    });
  }

  #initRwlock(lock: number): number {
    return this.#init("rwlock", "rwlock", lock, (attributes) => {
      pointerAndInt("pthread_rwlockattr_setkind_np")(attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    });
  }

  #init(word: string, kind: ObjectKind, object: number, set = (_attributes: number): void => {}): number {
    const attributes = this.#sharedAttributes(word);
    set(attributes);
    return -Number(twoPointers(`pthread_${word}_init`)(this.#objectAt(kind, object), attributes));
  }

  #initBarrier(barrier: number, parties: number): number {
    const init = pointersAndCount("pthread_barrier_init");
    return -Number(init(this.#objectAt("barrier", barrier), this.#sharedAttributes("barrier"), parties));
  }

  #sharedAttributes(word: string): number {
    const attributes = this.#slot.address + ATTRIBUTES;
    pointerToInt(`pthread_${word}attr_init`)(attributes);
    pointerAndInt(`pthread_${word}attr_setpshared`)(attributes, PTHREAD_PROCESS_SHARED);
    return attributes;
  }
}
