/** Simulations, each in a process of its own, a few at a time. `compile` comes first. */
import { spawnCompiled } from './compiled.ts'
import type { JoinsFigures, JoinsTask } from './gossip/joins.ts'
import type { TrafficFigures, TrafficTask } from './gossip/traffic-of-nodes.ts'
import type { ScalingRun, ScalingTask } from './scaling/run.ts'

/** A thousand nodes that know a thousand others each. */
const heapMegabytesMax = 8_000

export const simulateJoins = (task: JoinsTask): Promise<JoinsFigures> => simulate('joins', task)
export const simulateTraffic = (task: TrafficTask): Promise<TrafficFigures> => simulate('traffic', task)
export const simulateScaling = (task: ScalingTask): Promise<ScalingRun> => simulate('scaling', task)

async function simulate<Figures>(kind: string, task: object): Promise<Figures> {
  const child = spawnCompiled('virtual-task', [kind, JSON.stringify(task)], heapMegabytesMax)
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  let printed = ''
  for await (const chunk of child.stdout) printed += String(chunk)
  const code = await exited
  if (code !== 0) throw new Error(`the simulation ${kind} ${JSON.stringify(task)} ended with ${code}`)
  return JSON.parse(printed) as Figures
}

/** In the order of `items`; never more than `most` at once. */
export async function inParallel<Item, Result>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const waiting = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next
      results[index] = await work(item)
    }
  }
  await Promise.all(Array.from({ length: most }, worker))
  return results
}
