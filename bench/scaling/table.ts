/** The figures of `bench -- scaling` as a table of docs/performance.md. Pure. */
import { markdownTable } from '../gossip/table.ts'
import type { Summary } from '../statistics.ts'
import type { ScalingFigures } from './scaling.ts'

export function scalingTable({ sizes }: ScalingFigures): string {
  const bytes = (rate: number): string => `${Math.round(rate)} B/s`
  const times = ({ median, max }: Summary): string => `${(median / 1_000).toFixed(1)} (${(max / 1_000).toFixed(1)}) s`
  return markdownTable(
    ['nodes', 'runs', 'probes', 'news on probes', 'news', 'push/pull', 'first suspect', 'first knows', 'all know'],
    sizes.map(({ nodes, runs, minutesPerRun, rates, firstSuspectMs, firstDeadMs, allKnowMs }) => [
      `${nodes}`,
      `${runs} x ${minutesPerRun} min`,
      ...[rates.probes, rates.piggyback, rates.gossip, rates.pushPull].map(bytes),
      ...[firstSuspectMs, firstDeadMs, allKnowMs].map(times),
    ]),
  )
}
