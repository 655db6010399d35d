// npm run torture -- --minutes M --kills K --seed S

import { anySeed, CommandLine } from "../command-line.ts";
import { isSound, type Outcome, summary, Torture } from "./torture.ts";

const usage = `usage: npm run torture -- [--kills K] [--minutes M] [--seed S] [--world threads|processes]
  --kills    tasks to kill, in each world; default 1000, or with --minutes as many as there is time for
  --minutes  for so long at most, in each world, at most 1440; by default as long as it takes
  --seed     a whole number; by default another each time
  --world    by default both`;

/** What one ledger has room for, and its children: longer runs are made of several. */
const ROUND_KILLS = 1000;
const MINUTES_MAX = 1440;

const options = new CommandLine(usage, { kills: undefined, minutes: undefined, seed: anySeed(), world: undefined });
const worlds = (["threads", "processes"] as const).filter((world) => (options.given("world") ?? world) === world);
if (worlds.length === 0) options.fail("--world must be threads or processes");
const minutes = options.given("minutes") === undefined ? MINUTES_MAX : options.count("minutes", MINUTES_MAX);
const wanted =
  options.given("kills") !== undefined
    ? options.count("kills")
    : options.given("minutes") !== undefined
      ? Number.POSITIVE_INFINITY
      : ROUND_KILLS;
const seed = options.count("seed");

/** One round, with a kernel and a ledger of its own. */
async function runRound(world: Outcome["world"], round: number, kills: number, minutesLeft: number): Promise<Outcome> {
  const torture = new Torture({ world, kills, minutes: minutesLeft, seed: seed + round });
  try {
    let shown = 0;
    return await torture.run((done) => {
      if (done - shown < 100) return;
      shown = done;
      process.stderr.write(`${world}: ${round * ROUND_KILLS + done} killed\n`);
    });
  } finally {
    torture.end();
  }
}

let sound = true;
for (const world of worlds) {
  const end = performance.now() + minutes * 60_000;
  let left = wanted;
  for (let round = 0; left > 0 && (round === 0 || performance.now() < end); round++) {
    const outcome = await runRound(world, round, Math.min(left, ROUND_KILLS), (end - performance.now()) / 60_000);
    process.stdout.write(`${summary(outcome)}\n`);
    sound &&= isSound(outcome);
    left -= ROUND_KILLS;
  }
}
process.exit(sound ? 0 : 1);
