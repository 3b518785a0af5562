import { describe, expect, test } from 'vitest'
import { aMember, aNodeFacts, aProfile, aSection, anInstance } from '../../testing/builders.ts'
import { nodeName, serviceId } from '../../kernel/units.ts'
import { buildView, viewDeadline } from './build-view.ts'
import type { ViewInput } from './build-view.ts'
import { encodeProfile } from './profile.ts'
import type { Section } from './record.ts'

const [a, b, c] = [nodeName('a'), nodeName('b'), nodeName('c')]

function anInput(over: Partial<ViewInput> = {}): ViewInput {
  return {
    self: a,
    now: 0,
    members: [aMember({ name: 'a' }), aMember({ name: 'b' })],
    sections: sections(
      aSection(a, [anInstance({ containerId: 'a1' })]),
      aSection(b, [anInstance({ containerId: 'b1' })]),
    ),
    reachability: new Map(),
    engineListed: true,
    settled: true,
    ...over,
  }
}

function sections(...all: readonly Section[]): ReadonlyMap<Section['owner'], Section> {
  return new Map(all.map(section => [section.owner, section]))
}

describe('what a view shows', () => {
  test('nodes by name, instances by service and then container, each with its node and revision', () => {
    const mixed = aSection(b, [
      anInstance({ containerId: '2', service: serviceId('web') }),
      anInstance({ containerId: '3', service: serviceId('api') }),
      anInstance({ containerId: '1', service: serviceId('web') }),
    ])
    const view = buildView(
      anInput({ members: [aMember({ name: 'b' }), aMember({ name: 'a' })], sections: sections(mixed) }),
    )
    expect(view.nodes.map(node => node.name)).toEqual(['a', 'b'])
    expect(view.nodes[1]?.instances.map(({ containerId, revision, node }) => [containerId, revision, node])).toEqual([
      ['3', 2, 'b'],
      ['1', 3, 'b'],
      ['2', 1, 'b'],
    ])
  })

  test('what nobody known says is not shown, nor is what was removed', () => {
    const gone = { key: 'i/x', version: { epoch: 1, revision: 9 }, body: { kind: 'removed' } } as const
    const own = aSection(a, [])
    const withTombstone = { ...own, records: new Map([...own.records, [gone.key, gone]]) }
    const view = buildView(anInput({ sections: sections(withTombstone, aSection(c, [anInstance()])) }))
    expect(view.nodes.map(node => [node.name, node.instances.length])).toEqual([
      ['a', 0],
      ['b', 0],
    ])
  })

  test('a member that is no agent of ours is shown without profile, one without a usable name not at all', () => {
    const serf = aMember({ name: 'serf', meta: new Uint8Array([255, 1, 2]) })
    const view = buildView(anInput({ members: [aMember({ name: 'a' }), serf, aMember({ name: 'bad name' })] }))
    expect(view.nodes.map(node => [node.name, node.profile !== undefined])).toEqual([
      ['a', true],
      ['serf', false],
    ])
  })

  test('facts and profile of a node are in its view', () => {
    const facts = aNodeFacts({ cpuCount: 12 })
    const meta = encodeProfile(aProfile({ priority: 10 }))
    const view = buildView(
      anInput({ members: [aMember({ name: 'b', meta })], sections: sections(aSection(b, [], { facts })) }),
    )
    expect(view.nodes[0]).toMatchObject({ facts: { cpuCount: 12 }, profile: { priority: 10 } })
  })

  test.each(['suspect', 'dead'] as const)('we ourselves are alive and used, although others call us %s', status => {
    const view = buildView(anInput({ members: [aMember({ name: 'a', status })] }))
    expect(view.nodes[0]).toMatchObject({ status: 'alive', agent: 'up', instances: [{ traffic: 'yes' }] })
  })

  test('no member, no node', () => {
    expect(buildView(anInput({ members: [] })).nodes).toEqual([])
  })
})

describe('the state of an agent', () => {
  test.each([
    ['alive', undefined, 'up'],
    ['left', undefined, 'left'],
    ['suspect', undefined, 'unknown'],
    ['suspect', 'silent', 'unknown'],
    ['suspect', 'refused', 'agentDown'],
    ['dead', 'refused', 'agentDown'],
    ['dead', 'answers', 'agentDown'],
    ['dead', 'silent', 'unknown'],
  ] as const)('%s, its port %s: %s', (status, agent, expected) => {
    const reachability = new Map(agent === undefined ? [] : [[b, { agent, instances: new Map() }]])
    const view = buildView(anInput({ members: [aMember({ name: 'b', status })], reachability }))
    expect(view.nodes[0]?.agent).toBe(expected)
  })

  test('an announced restart shows until it is overdue, and says when to look again', () => {
    const facts = aNodeFacts({ restartingForMs: 30_000 })
    const input = anInput({
      now: 29_000,
      members: [aMember({ name: 'b', status: 'suspect', statusSince: 0 })],
      sections: sections(aSection(b, [anInstance()], { facts })),
    })
    const view = buildView(input)
    expect(view.nodes[0]).toMatchObject({ agent: 'restarting', instances: [{ traffic: 'lastResort' }] })
    expect(viewDeadline(input)).toBe(30_000)
    const overdue = { ...input, now: 30_000 }
    expect(buildView(overdue, view).nodes[0]?.agent).toBe('unknown')
    expect(viewDeadline(overdue)).toBeUndefined()
  })

  test('an agent that announced its restart and still answers is up', () => {
    const facts = aNodeFacts({ restartingForMs: 30_000 })
    const input = anInput({ sections: sections(aSection(b, [], { facts })) })
    expect(buildView(input).nodes[1]?.agent).toBe('up')
    expect(viewDeadline(input)).toBeUndefined()
  })
})

describe('completeness', () => {
  test.each([
    [false, false, false],
    [true, false, false],
    [false, true, false],
    [true, true, true],
  ])('engine listed %s, settled %s: complete %s', (engineListed, settled, complete) => {
    expect(buildView(anInput({ engineListed, settled })).complete).toBe(complete)
  })

  test('once complete, complete for good', () => {
    const first = buildView(anInput())
    expect(buildView(anInput({ engineListed: false, settled: false }), first).complete).toBe(true)
  })

  test('becoming complete is a change', () => {
    const first = buildView(anInput({ settled: false }))
    expect(buildView(anInput(), first).revision).toBe(first.revision + 1)
  })
})

describe('what did not change is the same object', () => {
  test('the same input gives the same view', () => {
    const view = buildView(anInput())
    expect(buildView(anInput(), view)).toBe(view)
  })

  test('equal sections made anew are still no change', () => {
    const input = anInput()
    const view = buildView(input)
    expect(buildView(structuredClone(input), view)).toBe(view)
  })

  test('a change on one node makes that node new, its other instances and all other nodes stay', () => {
    const before = aSection(b, [anInstance({ containerId: 'b1' }), anInstance({ containerId: 'b2' })])
    const input = anInput({ sections: sections(aSection(a, []), before) })
    const view = buildView(input)
    const records = new Map(before.records)
    const instance = anInstance({ containerId: 'b2', state: 'unhealthy' })
    const version = { epoch: 1, revision: 8 }
    records.set('i/b2', { key: 'i/b2', version, body: { kind: 'instance', instance } })
    const next = buildView({ ...input, sections: sections(aSection(a, []), { ...before, records, version }) }, view)
    expect(next.revision).toBe(view.revision + 1)
    expect(next.nodes[0]).toBe(view.nodes[0])
    expect(next.nodes[1]).not.toBe(view.nodes[1])
    expect(next.nodes[1]?.instances[0]).toBe(view.nodes[1]?.instances[0])
    expect(next.nodes[1]?.instances[1]).toMatchObject({ state: 'unhealthy', traffic: 'no', revision: 8 })
  })

  test('an older record that arrives late is shown although the newest version stays', () => {
    const late = aSection(b, [anInstance({ containerId: 'b1' }), anInstance({ containerId: 'b2' })])
    const without = { ...late, records: new Map([...late.records].filter(([key]) => key !== 'i/b1')) }
    const view = buildView(anInput({ sections: sections(without) }))
    const next = buildView(anInput({ sections: sections(late) }), view)
    expect(next.nodes[1]?.instances.map(instance => instance.containerId)).toEqual(['b1', 'b2'])
  })

  test('the same revision of a later epoch is another record', () => {
    const old = aSection(b, [anInstance({ containerId: 'b1' })])
    const records = new Map(old.records)
    const instance = anInstance({ containerId: 'b1', image: 'web:2' })
    records.set('i/b1', { key: 'i/b1', version: { epoch: 2, revision: 1 }, body: { kind: 'instance', instance } })
    const view = buildView(anInput({ sections: sections(old) }))
    const next = buildView(anInput({ sections: sections({ ...old, records }) }), view)
    expect(next.nodes[1]?.instances[0]?.image).toBe('web:2')
  })

  test('a node that comes under suspicion changes alone', () => {
    const view = buildView(anInput())
    const next = buildView(
      anInput({ members: [aMember({ name: 'a' }), aMember({ name: 'b', status: 'suspect' })] }),
      view,
    )
    expect(next.nodes[0]).toBe(view.nodes[0])
    expect(next.nodes[1]).toMatchObject({ status: 'suspect', instances: [{ traffic: 'lastResort' }] })
  })

  test('new metadata is seen although nothing else changed', () => {
    const view = buildView(anInput())
    const meta = encodeProfile(aProfile({ cordoned: true }))
    const next = buildView(anInput({ members: [aMember({ name: 'a' }), aMember({ name: 'b', meta })] }), view)
    expect(next.nodes[1]?.profile?.cordoned).toBe(true)
  })
})

test('a hundred nodes with sixty instances are built in well under 50 ms, and rebuilt for one change in a few', () => {
  const names = Array.from({ length: 100 }, (_, i) => nodeName(`node-${i}`))
  const members = names.map(name => aMember({ name }))
  const make = (name: (typeof names)[number]): Section =>
    aSection(
      name,
      Array.from({ length: 60 }, (_, i) =>
        anInstance({ containerId: `${name}-${i}`, service: serviceId(`s:svc-${i}`) }),
      ),
    )
  const all = new Map(names.map(name => [name, make(name)]))
  const build = (sections: ViewInput['sections'], previous?: ReturnType<typeof buildView>) =>
    buildView(anInput({ self: nodeName('node-0'), members, sections }), previous)
  let view = build(all)
  const whole = fastest(10, () => void (view = build(new Map(all))))
  const changedNode = nodeName('node-7')
  const one = fastest(10, () => void (view = build(new Map([...all, [changedNode, make(changedNode)]]), view)))
  expect(view.nodes.length).toBe(100)
  expect(whole).toBeLessThan(50)
  expect(one).toBeLessThan(15)
})

/** Processor time in ms, best of several: elapsed time would measure what else the machine is doing. */
function fastest(times: number, run: () => void): number {
  const durations = Array.from({ length: times }, () => {
    const before = process.cpuUsage()
    run()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  })
  return Math.min(...durations)
}
