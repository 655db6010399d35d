// What the mission says, in its order: docs/fangaos-map.md has a row for each.

export const missionItems = `
## Overview
- FangaOS provides comprehensive Inter-Process Communication (IPC) mechanisms that enable processes to communicate and synchronize their activities. The IPC subsystem includes message passing, pipes, shared memory, signals, and synchronization primitives.
## Architecture
- The IPC implementation is located in kernel/crates/fanga-kernel/src/task/ipc.rs and provides the following components:
## Components
- Message Queues - Asynchronous message passing between processes
- Pipes - Unidirectional data streams (anonymous and named)
- Shared Memory - Direct memory sharing between processes
- Signals - Asynchronous notification mechanism
- Synchronization Primitives - Mutexes and semaphores
## Message Queue
- Message queues provide a way for processes to exchange messages asynchronously.
- struct MessageQueue
- messages: VecDeque<Message>
- max_size: usize
- waiting_tasks: Vec<TaskId>
- Maximum message size: 256 bytes
- FIFO ordering
- Blocking support for receivers
- Configurable queue size
- the example
- MessageQueue::new()
- Message::new()
- queue.send()
- queue.receive()
- SYS_MSGGET (68) - Get/create message queue
- SYS_MSGSND (69) - Send message to queue
- SYS_MSGRCV (70) - Receive message from queue
## Pipes
- Pipes provide unidirectional data flow between processes using a buffered channel.
## Pipe Structure
- struct Pipe
- buffer: VecDeque<u8>
- max_size: usize Default: 4096 bytes
- readers: usize
- writers: usize
- waiting_readers: Vec<TaskId>
- waiting_writers: Vec<TaskId>
- Fixed-size circular buffer (4KB default)
- Reference counting for readers/writers
- Non-blocking read/write operations
- EOF detection when no writers remain
- Broken pipe detection when no readers remain
- Read returns 0 when no data available and no writers (EOF)
- Write fails with error when no readers (EPIPE/broken pipe)
- Partial reads/writes when buffer is partially full/empty
- SYS_PIPE (22) - Create a pipe
- Returns two file descriptors: pipefd[0] (read end), pipefd[1] (write end)
- the example
- Pipe::new()
- pipe.add_reader()
- pipe.add_writer()
- pipe.write()
- pipe.read()
## Shared Memory
- Shared memory allows multiple processes to access the same physical memory region.
## Shared Memory Structure
- struct SharedMemory
- phys_addr: PhysAddr
- size: usize
- ref_count: usize
- attached_tasks: Vec<TaskId>
- Reference counting for automatic cleanup
- Track which processes have attached
- Physical address-based mapping
- Arbitrary size segments
- Create - Allocate physical memory for sharing
- Attach - Map segment into process address space
- Use - Direct memory access (fastest IPC)
- Detach - Unmap from process address space
- Destroy - Free memory when ref_count reaches 0
- SYS_SHMGET (29) - Create/get shared memory segment
- SYS_SHMAT (30) - Attach shared memory segment
- SYS_SHMDT (67) - Detach shared memory segment
- SYS_SHMCTL (31) - Control shared memory segment
- the example
- SharedMemory::new()
- shm.attach()
- shm.detach()
## Signals
- Signals provide an asynchronous notification mechanism for processes.
## Signal Types
- FangaOS implements POSIX-like signals:
- SIGHUP · 1 · Hangup
- SIGINT · 2 · Interrupt (Ctrl+C)
- SIGQUIT · 3 · Quit
- SIGILL · 4 · Illegal instruction
- SIGTRAP · 5 · Trace/breakpoint trap
- SIGABRT · 6 · Abort
- SIGBUS · 7 · Bus error
- SIGFPE · 8 · Floating point exception
- SIGKILL · 9 · Kill (cannot be caught)
- SIGUSR1 · 10 · User-defined signal 1
- SIGSEGV · 11 · Segmentation fault
- SIGUSR2 · 12 · User-defined signal 2
- SIGPIPE · 13 · Broken pipe
- SIGALRM · 14 · Alarm clock
- SIGTERM · 15 · Termination
- SIGCHLD · 17 · Child stopped or terminated
- SIGCONT · 18 · Continue
- SIGSTOP · 19 · Stop (cannot be caught)
- SIGTSTP · 20 · Terminal stop
## Signal Handler
- struct SignalHandler
- pending: u32 Bitmask of pending signals
- blocked: u32 Bitmask of blocked signals
- Multiple pending signals (bit mask)
- Signal blocking/unblocking
- Priority-based delivery (lower signal numbers first)
- Automatic signal clearing on delivery
- send() - Send a signal to the handler
- block() - Block a signal from being delivered
- unblock() - Allow a blocked signal to be delivered
- clear() - Clear a pending signal
- next_unblocked() - Get the next signal to deliver
- has_pending() - Check if any unblocked signals are pending
- SYS_KILL (62) - Send signal to process
- kill(pid, signal) - Send signal to specified process
- the example
- SignalHandler::new()
- handler.send()
- handler.is_pending()
- handler.clear()
- handler.block()
- handler.unblock()
## Semaphore
- Counting semaphore for synchronization.
- struct Semaphore
- value: isize
- waiting_tasks: Vec<TaskId>
- wait() - P operation (decrement, block if <= 0)
- signal() - V operation (increment, wake waiting task)
- Resource counting
- Producer-consumer synchronization
- Limiting concurrent access
## Task Mutex
- Binary lock for mutual exclusion.
- struct TaskMutex
- locked: bool
- owner: Option<TaskId>
- waiting_tasks: Vec<TaskId>
- try_lock() - Attempt to acquire the lock
- unlock() - Release the lock
- Owner tracking
- Waiting queue
- Prevents unlock by non-owner
- Protecting critical sections
- Ensuring atomic operations
- Preventing race conditions
## IPC System Calls Summary
- SYS_PIPE · 22 · Create a pipe
- SYS_KILL · 62 · Send signal to process
- SYS_SHMGET · 29 · Get shared memory segment
- SYS_SHMAT · 30 · Attach shared memory
- SYS_SHMDT · 67 · Detach shared memory
- SYS_SHMCTL · 31 · Control shared memory
- SYS_MSGGET · 68 · Get message queue
- SYS_MSGSND · 69 · Send message
- SYS_MSGRCV · 70 · Receive message
## Error Codes
- EINVAL · -22 · Invalid argument
- EBADF · -9 · Bad file descriptor
- ENOMEM · -12 · Out of memory
- ENOSYS · -38 · Function not implemented
- EFAULT · -14 · Bad address
- EACCES · -13 · Permission denied
- EPERM · -1 · Operation not permitted
- ESRCH · -3 · No such process
## Completed
- Message Queue data structures
- Pipe implementation with buffering
- Shared Memory data structures
- Signal types and handler
- Semaphore and Mutex primitives
- IPC syscall interface
- Comprehensive unit tests
- Error handling
## Future Enhancements
- Full file descriptor table integration
- Named pipes (FIFOs)
- Signal handlers (user-space callbacks)
- Advanced semaphore operations
- Read/write locks
- Condition variables
- Message queue priorities
- Shared memory permissions
## Testing
- The IPC subsystem includes comprehensive unit tests:
- cargo test --lib --target x86_64-unknown-linux-gnu ipc
- Message queue operations (send, receive, full queue)
- Pipe operations (read, write, EOF, broken pipe)
- Shared memory attach/detach
- Signal sending, blocking, and delivery
- Signal priority ordering
- Semaphore wait/signal
- Mutex lock/unlock
## IPC Mechanism Performance
- Shared Memory · Lowest · Highest · Large data transfers
- Pipes · Low · High · Streaming data
- Message Queues · Medium · Medium · Discrete messages
- Signals · Low · N/A · Notifications
## Recommendations
- Shared Memory - Best for large data transfers or when processes need to work on the same data structure
- Pipes - Best for producer-consumer patterns and streaming data
- Message Queues - Best for discrete messages with FIFO ordering
- Signals - Best for asynchronous notifications and error conditions
## Security Considerations
- Permission Checks - All IPC operations should verify process permissions
- Buffer Overflow Protection - All buffers have maximum size limits
- Reference Counting - Prevents use-after-free in shared memory
- Signal Masking - Critical signals (SIGKILL, SIGSTOP) cannot be blocked
- Pointer Validation - All user-space pointers validated before access
## Producer-Consumer with Pipe
- the example
- Pipe::new()
- pipe.add_writer()
- pipe.add_reader()
- pipe.write()
- pipe.read()
## Shared Memory Communication
- the example
- SharedMemory::new()
- shm.attach()
## Signal Handling
- the example
- SignalHandler::new()
- handler.send()
- handler.next_unblocked()
- handler.clear()
## References
- POSIX IPC
- Linux man pages - IPC
- Linux man pages - pipe
- Linux man pages - signal
- OSDev Wiki - IPC
`;
