// What tasks are charged for, counted anew from the tables: it must be what stands in their slots (src/memory/charges.ts).

import { block, description, type Geometry, object, task } from "../src/memory/layout.ts";
import { field, LINE_WORDS, type Word, type Words } from "../src/memory/words.ts";

/** The tasks whose counts are wrong, and how; empty where all are right. Nobody may hold the kernel lock. */
export function miscounted(words: Words, geometry: Geometry): string {
  const { limits } = geometry;
  const count = (pid: number, table: Word, size: number, each: number, owner: number, used: number): number => {
    let found = 0;
    for (let i = 0; i < size; i++) {
      const at = field(table, i * each);
      if (words.load(field(at, used)) !== 0 && words.load(field(at, owner)) === pid) found++;
    }
    return found;
  };
  const linesOf = (pid: number): number => {
    let found = 0;
    for (let line = geometry.heapLine; line < geometry.heapEndLine; ) {
      const at = (line * LINE_WORDS) as Word;
      const lines = words.load(field(at, block.LINES));
      if (lines <= 0) break;
      if (words.load(field(at, block.USED)) === 1 && words.load(field(at, block.PAYER)) === pid) found += lines;
      line += lines;
    }
    return found;
  };
  const wrong: string[] = [];
  for (let i = 0; i < limits.tasksMax; i++) {
    const slot = field(geometry.tasks, i * task.WORDS);
    const pid = words.load(field(slot, task.PID));
    if (pid === 0) continue;
    const right = {
      OBJECTS: count(pid, geometry.objects, limits.objectsMax, object.WORDS, object.CREATOR_PID, object.KIND),
      HEAP_LINES: linesOf(pid),
      HOLDS: count(
        pid,
        geometry.descriptions,
        limits.descriptionsMax,
        description.WORDS,
        description.OWNER,
        description.OBJECT,
      ),
    };
    for (const [charged, expected] of Object.entries(right) as [keyof typeof right, number][]) {
      const found = words.load(field(slot, task[charged]));
      if (found !== expected) wrong.push(`task ${pid} is charged for ${found} ${charged}, not ${expected}`);
    }
  }
  return wrong.join(", ");
}
