// A task's credentials (credentials(7)): real, effective and saved user and group, supplementary groups, and the file mode
// creation mask. They lie in the task's slot; only the task itself changes them. Effective user 0 is privileged.

import { EINVAL, EPERM } from "../abi/errno.ts";
import { GROUPS_MAX, task } from "../memory/layout.ts";
import { field, type Word, type Words } from "../memory/words.ts";

/** What a task is attached with (credentials(7)): numbers from 0 to 2^32 - 2. */
export interface Identity {
  /** The user: real, effective and saved. User 0 is privileged. */
  readonly uid: number;
  /** The group: real, effective and saved. */
  readonly gid: number;
  /** Other groups that it is in, at most 32. */
  readonly groups: readonly number[];
  /** The bits that are taken away from the mode of what it makes (umask(2)), 0 to 0o777. */
  readonly umask: number;
}

/** Real, effective and saved; NO_ID leaves one as it is (setresuid(2)). */
export type IdTriple = readonly [real: number, effective: number, saved: number];

/** -1, as system calls pass it. */
export const NO_ID = 0xffffffff;

const ID_FIELDS = { user: task.REAL_UID, group: task.REAL_GID } as const;

export class Credentials {
  readonly #words: Words;
  readonly #slot: Word;
  /** Counts this task's changes: what was decided by them before is to be decided anew. */
  changes = 0;

  constructor(words: Words, slot: Word) {
    this.#words = words;
    this.#slot = slot;
  }

  /** Fills a new task's slot. */
  static write(words: Words, slot: Word, identity: Identity): void {
    for (let i = 0; i < 3; i++) {
      words.set(field(slot, task.REAL_UID + i), identity.uid | 0);
      words.set(field(slot, task.REAL_GID + i), identity.gid | 0);
    }
    words.set(field(slot, task.UMASK), identity.umask & 0o777);
    const groups = inOrder(identity.groups.slice(0, GROUPS_MAX));
    words.set(field(slot, task.GROUP_COUNT), groups.length);
    groups.forEach((group, i) => {
      words.set(field(slot, task.GROUPS + i), group | 0);
    });
  }

  get effectiveUid(): number {
    return this.#get(task.EFFECTIVE_UID);
  }

  get effectiveGid(): number {
    return this.#get(task.EFFECTIVE_GID);
  }

  /** May do what other users may not (capabilities(7): all of them, or none). */
  get isPrivileged(): boolean {
    return this.effectiveUid === 0;
  }

  get umask(): number {
    return this.#get(task.UMASK);
  }

  set umask(mask: number) {
    this.#words.store(field(this.#slot, task.UMASK), mask & 0o777);
  }

  get groups(): number[] {
    const count = Math.min(this.#get(task.GROUP_COUNT), GROUPS_MAX);
    return Array.from({ length: count }, (_, i) => this.#get(task.GROUPS + i));
  }

  ids(of: "user" | "group"): IdTriple {
    const first = ID_FIELDS[of];
    return [this.#get(first), this.#get(first + 1), this.#get(first + 2)];
  }

  isMember(gid: number): boolean {
    return gid === this.effectiveGid || this.groups.includes(gid);
  }

  /** setresuid(2), setresgid(2): the unprivileged may only take on what they have. EPERM. */
  setIds(of: "user" | "group", wanted: IdTriple): number {
    const own = this.ids(of);
    if (!this.isPrivileged && wanted.some((id) => id !== NO_ID && !own.includes(id))) return EPERM;
    wanted.forEach((id, i) => {
      if (id !== NO_ID) this.#words.store(field(this.#slot, ID_FIELDS[of] + i), id | 0);
    });
    this.changes++;
    return 0;
  }

  /** setgroups(2). EPERM, EINVAL above GROUPS_MAX. */
  setGroups(groups: readonly number[]): number {
    if (!this.isPrivileged) return EPERM;
    if (groups.length > GROUPS_MAX) return EINVAL;
    inOrder(groups).forEach((group, i) => {
      this.#words.store(field(this.#slot, task.GROUPS + i), group | 0);
    });
    this.#words.store(field(this.#slot, task.GROUP_COUNT), groups.length);
    this.changes++;
    return 0;
  }

  identity(): Identity {
    return { uid: this.effectiveUid, gid: this.effectiveGid, groups: this.groups, umask: this.umask };
  }

  #get(name: number): number {
    return this.#words.load(field(this.#slot, name)) >>> 0;
  }
}

/** As getgroups(2) gives them on Linux. */
const inOrder = (groups: readonly number[]): number[] => [...groups].sort((one, other) => one - other);
