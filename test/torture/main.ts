// npm run torture -- --minutes M --kills K --seed S

import { anySeed, CommandLine } from "../command-line.ts";
import { isSound, summary, Torture } from "./torture.ts";

const usage = `usage: npm run torture -- [--kills K] [--minutes M] [--seed S] [--world threads|processes]
  --kills    tasks to kill, in each world, at most 8000; default 1000
  --minutes  for so long at most, in each world; default 10
  --seed     a whole number; by default another each time
  --world    by default both`;

const options = new CommandLine(usage, { kills: "1000", minutes: "10", seed: anySeed(), world: undefined });
const worlds = (["threads", "processes"] as const).filter((world) => (options.given("world") ?? world) === world);
if (worlds.length === 0) options.fail("--world must be threads or processes");
const orders = {
  kills: options.count("kills", 8000),
  minutes: options.count("minutes", 1440),
  seed: options.count("seed"),
};

let sound = true;
for (const world of worlds) {
  const torture = new Torture({ world, ...orders });
  try {
    let shown = 0;
    const outcome = await torture.run((kills) => {
      if (kills - shown < 100) return;
      shown = kills;
      process.stderr.write(`${world}: ${kills} of ${orders.kills} killed\n`);
    });
    process.stdout.write(`${summary(outcome)}\n`);
    sound &&= isSound(outcome);
  } finally {
    torture.end();
  }
}
process.exit(sound ? 0 : 1);
