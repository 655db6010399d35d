// Where we differ from Linux on purpose. docs/differences.md is made of these rows, and the differential test draws nothing else
// that differs.

export interface Difference {
  readonly id: string;
  readonly what: string;
  readonly linux: string;
  readonly ours: string;
  readonly reason: string;
}

export const differences: readonly Difference[] = [
  {
    id: "pipe-bytes",
    what: "How the space of a pipe is counted: what a write finds room for, when poll says POLLOUT, when F_SETPIPE_SZ is EBUSY.",
    linux:
      "In pages: a write takes whole pages behind the last one's bytes; a page is free again once all of it was read.",
    ours: "In bytes: what was read is free at once. POLLOUT where PIPE_BUF bytes are.",
    reason: 'The mission: "Fixed-size circular buffer (4KB default)". All writes that POSIX promises succeed on both.',
  },
  {
    id: "pipe-size",
    what: "The size of a new pipe or FIFO.",
    linux: "65536 bytes; a FIFO has it anew whenever it is opened after all had closed it.",
    ours: "4096 bytes; a FIFO keeps the size that it was given.",
    reason: 'The mission: "max_size: usize, // Default: 4096 bytes".',
  },
  {
    id: "message-size",
    what: "The longest message.",
    linux: "8192 bytes (msgmax, msgsize_max).",
    ours: "256 bytes, unless the kernel is created with another messageBytesMax.",
    reason: 'The mission: "Maximum message size: 256 bytes".',
  },
  {
    id: "efault-keeps",
    what: "msgrcv, mq_timedreceive and rt_sigtimedwait into a bad buffer; mq_getsetattr, rt_sigprocmask and rt_sigaction with a bad place for what was before.",
    linux: "EFAULT, and the message or signal is lost; the new flags, mask or action is set.",
    ours: "EFAULT, and the message stays in the queue, the signal pending; flags, mask and action are as they were. The buffer must be good as a whole, not only as far as the message goes.",
    reason: 'The mission: "All user-space pointers validated before access". A call that fails has changed nothing.',
  },
  {
    id: "no-regular-files",
    what: "open with O_CREAT of a path that is not there; device files; directories.",
    linux: "Makes a regular file; mknod makes devices; directories nest.",
    ours: "EOPNOTSUPP; mknod makes FIFOs alone (EPERM for others); there is one flat directory, sticky as /tmp is.",
    reason: "The mission has pipes, queues and segments, and no file system.",
  },
  {
    id: "pipe-direct",
    what: "Packet mode: pipe2 and F_SETFL with O_DIRECT.",
    linux: "Each write is read as a packet of its own.",
    ours: "EINVAL.",
    reason: "The mission's pipe is a stream of bytes; packets are what message queues are for.",
  },
  {
    id: "lock-again",
    what: "A task that wants a lock which it has: pthread_rwlock_wrlock where it reads, pthread_rwlock_rdlock where it reads and a writer waits, pthread_cond_wait with a mutex that it has locked twice.",
    linux: "It waits for itself; a timed one until its time has passed (ETIMEDOUT).",
    ours: "EDEADLK; it reads once more; EPERM.",
    reason: "POSIX leaves it open, and names EDEADLK for the locks. Who waits for itself waits for ever.",
  },
  {
    id: "lock-death",
    what: "A task that dies while it holds a read/write lock, has come to a barrier, or waits for a condition.",
    linux:
      "It holds the lock for ever; it has come, and is counted; a signal may be given to it, and pthread_cond_destroy waits for it.",
    ours: "Its lock is let go of; it has not come; it takes no signal.",
    reason: "POSIX says nothing. Nobody could ever give back what a dead task holds.",
  },
  {
    id: "condition-interrupted",
    what: "A task whose handler of a signal runs while it waits for a condition.",
    linux: "It sleeps on.",
    ours: "Its wait returns, with the mutex locked, as if the condition had been signalled.",
    reason: "POSIX lets a wait return for no reason, and the handler may have brought about what is waited for.",
  },
  {
    id: "mutex-glibc",
    what: "Robust mutexes, where the C library departs from POSIX: pthread_mutex_trylock of one's own error-checking mutex; pthread_mutex_unlock of one that is inconsistent and was locked twice; one that is not recoverable and is waited for by several, or tried.",
    linux:
      "EDEADLK. ENOTRECOVERABLE, though it is still held. One of those who wait is told, the others sleep on; pthread_mutex_trylock says ENOTRECOVERABLE and keeps it locked, so that the next waits.",
    ours: "EBUSY. 0. ENOTRECOVERABLE for all, always.",
    reason: "POSIX says so.",
  },
  {
    id: "handler-order",
    what: "Several signals that are delivered at once, and whose handlers do not block each other.",
    linux:
      "Each handler begins before the one that was delivered before it has done a thing, so the last begins first. SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV and SIGSYS are delivered before all others.",
    ours: "One handler after the other, lowest number first.",
    reason: 'The mission: "Priority-based delivery (lower signal numbers first)".',
  },
  {
    id: "signal-info",
    what: "What a sender says of a signal beyond si_code, si_pid, si_uid and si_value (rt_sigqueueinfo).",
    linux: "All 48 bytes arrive, si_errno too.",
    ours: "si_errno and what lies behind si_value arrive as zeros.",
    reason: "What sigqueue(3) sends is kept in one line of memory.",
  },
  {
    id: "no-sessions",
    what: "What is refused across sessions: SIGCONT to a task of another user, setpgid.",
    linux: "Within a session SIGCONT may be sent to anybody's task; across sessions both are EPERM.",
    ours: "All tasks of a kernel are of one session.",
    reason: "Sessions are for terminals, which the mission does not have.",
  },
  {
    id: "stop-interrupts",
    what: "A task that is stopped while it sleeps in semop, semtimedop or rt_sigtimedwait, and goes on.",
    linux: "The call is EINTR, without any handler (signal(7)).",
    ours: "It sleeps on, as other calls do on both.",
    reason: "signal(7) itself names it as no behaviour that POSIX has. Nothing has come that the caller asked for.",
  },
  {
    id: "signals-queued",
    what: "How many signals may be queued (RLIMIT_SIGPENDING).",
    linux: "So many for all processes of a user together, thousands by default.",
    ours: "1024 for each task.",
    reason: "One task's sender cannot use up what others need.",
  },
  {
    id: "sigpipe-ignored",
    what: "What SIGPIPE does to a task that has said nothing about it.",
    linux: "It ends it.",
    ours: "It is ignored, and the write is EPIPE; rt_sigaction with SIG_DFL makes it end the task.",
    reason: "Node does so with the host's.",
  },
];

/** The rows as a Markdown table. */
export function differencesTable(): string {
  const rows = differences.map(
    ({ id, what, linux, ours, reason }) => `| \`${id}\` | ${what} | ${linux} | ${ours} | ${reason} |`,
  );
  return ["| row | what | Linux | here | why |", "|---|---|---|---|---|", ...rows].join("\n");
}
