import { expect, test } from 'vitest'
import { nodeName } from '../kernel/units.ts'
import { aMember, aNodeFacts, aSection } from '../testing/builders.ts'
import { recordingLog } from '../testing/recording-log.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { createClusterLog } from './cluster-log.ts'

const [a, b] = [nodeName('a'), nodeName('b')]

test('who writes a line is left to the logger: other nodes go by other names', () => {
  const log = recordingLog()
  const story = createClusterLog(a, new VirtualClock(), log)
  const facts = [...aSection(b, [], { facts: aNodeFacts({ restartingForMs: 60_000 }) }).records.values()]
  const changes = facts.map(record => ({ key: record.key, record: { ...record, encoded: new Uint8Array() } }))
  story.recordsChanged(b, changes)
  story.recordsChanged(b, Array.from({ length: 21 }, () => changes).flat())
  story.memberChanged(aMember({ name: b }), undefined)
  story.nameConflict(b, { ip: '10.0.0.1', port: 1 }, { ip: '10.0.0.2', port: 1 })
  expect(new Set(log.lines.flatMap(({ fields }) => Object.keys(fields)))).not.toContain('node')
  expect(log.lines.map(({ message, fields }) => [message, fields['owner'] ?? fields['member']])).toEqual(
    expect.arrayContaining([
      ['record received', b],
      ['member restarting', b],
      ['many records received or published', b],
      ['member joined', b],
      ['two nodes use one name; rename one of them', b],
    ]),
  )
})
