/** A program: one simulation in a process of its own. Told as `<task> <JSON>`, answers one JSON object on stdout. */
import { measureJoins } from './gossip/joins.ts'
import type { JoinsTask } from './gossip/joins.ts'
import { measureTraffic } from './gossip/traffic-of-nodes.ts'
import type { TrafficTask } from './gossip/traffic-of-nodes.ts'
import { runScaling } from './scaling/run.ts'
import type { ScalingTask } from './scaling/run.ts'

const [kind, json = '{}'] = process.argv.slice(2)
console.log(JSON.stringify(perform(JSON.parse(json))))

function perform(task: unknown): object {
  // The other end is virtual-tasks.ts, which is compiled against the same types.
  if (kind === 'joins') return measureJoins(task as JoinsTask)
  if (kind === 'traffic') return measureTraffic(task as TrafficTask)
  if (kind === 'scaling') return runScaling(task as ScalingTask)
  throw new Error(`no such task: ${kind}`)
}
