// npm run torture -- --minutes M --kills K --seed S

import { parseArgs } from "node:util";
import { isSound, summary, Torture } from "./torture.ts";

const usage = `usage: npm run torture -- [--kills K] [--minutes M] [--seed S] [--world threads|processes]
  --kills    tasks to kill, in each world, at most 8000; default 1000
  --minutes  for so long at most, in each world; default 10
  --seed     a whole number; by default another each time
  --world    by default both`;

function fail(message: string): never {
  process.stderr.write(`${message}\n${usage}\n`);
  process.exit(2);
}

function count(text: string, name: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most) fail(`--${name} must be a whole number up to ${most}, not ${text}`);
  return value;
}

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    world: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  process.stdout.write(`${usage}\n`);
  process.exit(0);
}
const worlds = (["threads", "processes"] as const).filter(
  (world) => values.world === undefined || values.world === world,
);
if (worlds.length === 0) fail("--world must be threads or processes");
const orders = {
  kills: count(values.kills, "kills", 8000),
  minutes: count(values.minutes, "minutes", 1440),
  seed: count(values.seed, "seed", 0xffffffff),
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
