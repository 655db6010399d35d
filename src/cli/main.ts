#!/usr/bin/env node
// The fanga command.

try {
  const { commands } = await import("./commands.ts");
  const { runProcess } = await import("./run.ts");
  await runProcess(commands);
} catch (error) {
  // Too few for Node to read its modules: so many are open at one time while it begins.
  if ((error as NodeJS.ErrnoException).code !== "EMFILE") throw error;
  process.stderr.write("fanga: too few files may be open, even to begin: type ulimit -n 1024\n");
  process.exit(1);
}
