import { coreFamilies } from "./core-families.ts";
import { explore, serialOutcomes } from "./explore.ts";
import { families as objects, pairsOf } from "./families.ts";
import { triples } from "./triples.ts";

const families: any[] = [...objects, ...coreFamilies];

import { written } from "./machine.ts";

const bound = Number(process.argv[2] ?? 1);
for (const family of families) {
  if (process.argv[3] && family.name !== process.argv[3]) continue;
  for (const { name, scenario } of pairsOf(family)) {
    const begun = Date.now();
    const allowed = serialOutcomes(scenario);
    const { schedules, steps, findings } = explore(scenario, bound, { allowed, findingsMax: 1 });
    console.log(name, schedules, Math.round(steps / schedules), `${Date.now() - begun} ms`);
    for (const f of findings)
      console.log("  FOUND", f.outcome, written(f.schedule), "\n   allowed", [...allowed].join("\n           "));
  }
}

if (process.argv[3] === "triples")
  for (const { name, scenario, bound: own } of triples) {
    const begun = Date.now();
    const allowed = serialOutcomes(scenario);
    const { schedules, steps, findings } = explore(scenario, Math.min(own, bound), { allowed, findingsMax: 1 });
    console.log(name, schedules, Math.round(steps / schedules), `${Date.now() - begun} ms`);
    for (const f of findings)
      console.log("  FOUND", f.outcome, written(f.schedule), "\n   allowed", [...allowed].join("\n           "));
  }
