// A program that tests of tasks spawn, and that never attaches.

process.exit(5);
