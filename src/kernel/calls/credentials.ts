// Who a task is: getpid, getppid, umask, and the user and group ids (credentials(7), setresuid(2), getgroups(2)).

import { EFAULT, EINVAL, EPERM } from "../../abi/errno.ts";
import { GROUPS_MAX } from "../../memory/layout.ts";
import { taskSlot } from "../../sync/bell.ts";
import { type IdTriple, NO_ID } from "../../tasks/credentials.ts";
import { type Argument, type Call, type Caller, int, size, unsigned } from "./call.ts";

const ID_BYTES = 4;

const getpid: Call = ({ system }) => system.pid;

const getppid: Call = ({ system }) => system.tasks.parentOf(taskSlot(system.geometry, system.pid));

const umask: Call = ({ system }, mask) => {
  const before = system.credentials.umask;
  system.credentials.umask = int(mask);
  return before;
};

const getter =
  (of: "user" | "group", which: 0 | 1): Call =>
  ({ system }) =>
    system.credentials.ids(of)[which];

/** setuid(2): the privileged change all three, others only the effective one. */
const setter =
  (of: "user" | "group"): Call =>
  ({ system }, wanted) => {
    const id = unsigned(wanted);
    if (id === NO_ID) return EINVAL;
    const { credentials } = system;
    if (credentials.isPrivileged) return credentials.setIds(of, [id, id, id]);
    const [real, , saved] = credentials.ids(of);
    // The effective id may become the real or the saved one, and no other.
    return id === real || id === saved ? credentials.setIds(of, [NO_ID, id, NO_ID]) : EPERM;
  };

const tripleSetter =
  (of: "user" | "group"): Call =>
  ({ system }, real, effective, saved) =>
    system.credentials.setIds(of, [unsigned(real), unsigned(effective), unsigned(saved)]);

/** Each pointer is written in its turn by Linux too; here all are checked first. */
const tripleGetter =
  (of: "user" | "group"): Call =>
  ({ system, memory }, ...pointers) => {
    const places = [0, 1, 2].map((i) => memory.structure(size(pointers[i]), ID_BYTES, true));
    if (places.some((place) => place === undefined)) return EFAULT;
    const ids: IdTriple = system.credentials.ids(of);
    ids.forEach((id, i) => {
      places[i]?.setUint32(0, id);
    });
    return 0;
  };

function getgroups({ system, memory }: Caller, ...[countArgument, pointer]: Argument[]): number {
  const count = int(countArgument);
  if (count < 0) return EINVAL;
  const { groups } = system.credentials;
  if (count === 0) return groups.length;
  if (count < groups.length) return EINVAL;
  if (groups.length === 0) return 0;
  const place = memory.structure(size(pointer), ID_BYTES * groups.length, true);
  if (!place) return EFAULT;
  groups.forEach((group, i) => {
    place.setUint32(ID_BYTES * i, group);
  });
  return groups.length;
}

function setgroups({ system, memory }: Caller, ...[countArgument, pointer]: Argument[]): number {
  const count = unsigned(countArgument);
  const { credentials } = system;
  if (!credentials.isPrivileged) return EPERM;
  if (count > GROUPS_MAX) return EINVAL;
  const place = count === 0 ? undefined : memory.structure(size(pointer), ID_BYTES * count, false);
  if (count > 0 && !place) return EFAULT;
  const groups = Array.from({ length: count }, (_, i) => place?.getUint32(ID_BYTES * i) ?? 0);
  return groups.includes(NO_ID) ? EINVAL : credentials.setGroups(groups);
}

export const credentialCalls = {
  getpid,
  getppid,
  umask,
  getuid: getter("user", 0),
  geteuid: getter("user", 1),
  getgid: getter("group", 0),
  getegid: getter("group", 1),
  setuid: setter("user"),
  setgid: setter("group"),
  setresuid: tripleSetter("user"),
  setresgid: tripleSetter("group"),
  getresuid: tripleGetter("user"),
  getresgid: tripleGetter("group"),
  getgroups,
  setgroups,
} as const satisfies { readonly [name: string]: Call };
