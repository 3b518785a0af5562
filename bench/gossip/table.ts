/** The figures of `bench -- gossip` as the tables of docs/performance.md. Pure. */
import type { Summary } from '../statistics.ts'
import type { GossipFigures } from './gossip.ts'

export function gossipTables(figures: GossipFigures): string {
  return [detectionTable(figures), '', otherTable(figures), ''].join('\n')
}

function detectionTable({ detection }: GossipFigures): string {
  const rows = detection.flatMap(({ nodes, ours, serf, ratioOfMedians, ratioOfMeans }) => [
    [`${nodes}`, 'ours', ...seconds(ours.allKnowMs), inSeconds(ours.firstKnowsMs.median), ''],
    [
      `${nodes}`,
      'serf',
      ...seconds(serf.allKnowMs),
      inSeconds(serf.firstKnowsMs.median),
      `${ratioOfMedians.toFixed(2)} and ${ratioOfMeans.toFixed(2)}`,
    ],
  ])
  const heads = ['nodes', 'program', 'median', 'mean', 'p90', 'min', 'max', 'first knows, median', 'ours / serf']
  return markdownTable(heads, rows)
}

function seconds({ median, mean, p90, min, max }: Summary): string[] {
  return [median, mean, p90, min, max].map(inSeconds)
}

function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`
}

function otherTable({ healthChange, traffic, joins }: GossipFigures): string {
  const { meanByKind: kinds } = traffic
  const kB = (bytes: number): string => `${(bytes / 1_000).toFixed(2)} kB/s`
  const verdict = ({ wanted, met }: { wanted: string; met: boolean }): string =>
    met ? wanted : `${wanted}: **missed**`
  return markdownTable(
    ['what', 'figure', 'wanted'],
    [
      [
        `change of health known to all ${healthChange.nodes}, ${healthChange.changes} changes`,
        `p50 ${healthChange.p50Ms} ms, p99 ${healthChange.p99Ms} ms, worst ${healthChange.maxMs} ms`,
        verdict(healthChange),
      ],
      [
        `one more node seen by all ${joins.nodes}, ${joins.joins} joins, simulated`,
        `p50 ${joins.p50Ms} ms, p99 ${joins.p99Ms} ms, worst ${joins.maxMs} ms`,
        verdict(joins),
      ],
      [
        `sent per node, ${traffic.nodes} nodes with ${traffic.instancesPerNode} instances, each node a change a minute, simulated`,
        `mean ${kB(traffic.meanBytesPerSecond)}, most ${kB(traffic.maxBytesPerSecond)}`,
        verdict(traffic),
      ],
      [
        'of which probes, news on probes, news, state over TCP',
        [kinds.probeBytes, kinds.piggybackBytes, kinds.gossipBytes, kinds.pushPullBytes].map(kB).join(', '),
        '',
      ],
    ],
  )
}

/** Padded as prettier would, so that a rendered table can be pasted as it is. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(3, head.length, ...rows.map(row => (row[column] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |`
  return [line(heads), line(widths.map(width => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
