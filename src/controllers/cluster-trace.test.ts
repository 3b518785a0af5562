import { expect, test } from 'vitest'
import { instanceKey, nodeFactsKey } from '../core/registry/index.ts'
import type { RecordBody, RecordChange } from '../core/registry/index.ts'
import { nodeName } from '../kernel/units.ts'
import { anInstance } from '../testing/builders.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { createClusterTrace } from './cluster-trace.ts'

const [a, b] = [nodeName('a'), nodeName('b')]
const from = { ip: '10.0.0.2', port: 7946 }
const recordKey = instanceKey('web')
const encoded = new Uint8Array(0)

function aRecord(revision: number, body: RecordBody): NonNullable<RecordChange['record']> {
  return { key: recordKey, version: { epoch: 1, revision }, body, encoded }
}

const unhealthy: RecordBody = { kind: 'instance', instance: anInstance({ containerId: 'web', state: 'unhealthy' }) }

function traced() {
  const clock = new VirtualClock()
  const marks: string[] = []
  const mark = (key: string, hop: string, atMs: number, detail: string): void =>
    void marks.push(`${atMs} ${key} ${hop}: ${detail}`)
  return { clock, marks, trace: createClusterTrace(a, clock, { mark }) }
}

test('our own record is published, and sent when it first leaves', () => {
  const { clock, marks, trace } = traced()
  trace.recordsChanged(a, [{ key: recordKey, record: aRecord(8, unhealthy) }], undefined)
  clock.advance(90)
  trace.newsSent('r:a:i/web', from)
  expect(marks).toEqual(['0 shop:web@a#8 published: unhealthy', '90 shop:web@a#8 sent: first to 10.0.0.2:7946'])
})

test.each([
  ['gossip', 'by gossip from'],
  ['direct', 'over a stream from'],
  ['pushPull', 'by push/pull with'],
] as const)("another's record is received (%s), and relayed when it first leaves", (via, way) => {
  const { marks, trace } = traced()
  trace.recordsChanged(b, [{ key: recordKey, record: aRecord(8, unhealthy) }], { from, via })
  trace.newsSent('r:b:i/web', { ip: '10.0.0.3', port: 7946 })
  expect(marks).toEqual([
    `0 shop:web@b#8 received: unhealthy ${way} 10.0.0.2:7946`,
    '0 shop:web@b#8 relayed: first to 10.0.0.3:7946',
  ])
})

test('a tombstone is the walk of what was there', () => {
  const { marks, trace } = traced()
  const previous = aRecord(8, unhealthy)
  trace.recordsChanged(b, [{ key: recordKey, record: aRecord(9, { kind: 'removed' }), previous }], {
    from,
    via: 'gossip',
  })
  expect(marks).toEqual(['0 shop:web@b#9 received: removed by gossip from 10.0.0.2:7946'])
})

test('news that are no change of an instance leave no mark', () => {
  const { marks, trace } = traced()
  trace.recordsChanged(b, [{ key: nodeFactsKey, record: aRecord(9, { kind: 'unknown' }) }], { from, via: 'gossip' })
  trace.newsSent('r:b:node', from)
  trace.newsSent('r:b:i/never-heard-of', from)
  expect(marks).toEqual([])
})
