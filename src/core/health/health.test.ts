import { describe, expect, test } from 'vitest'
import { drive } from '../../controllers/drive.ts'
import { aContainer } from '../../testing/builders.ts'
import { VirtualClock } from '../../testing/virtual-clock.ts'
import type { Instance } from '../registry/index.ts'
import type { ContainerFact } from './container-fact.ts'
import { createHealth } from './health.ts'
import type { Change, Input, Output } from './types.ts'

const labelled = { ...aContainer().labels, 'deunhealth.restart.on.unhealthy': 'true' }

/** The machine on virtual time, with short ways to say what the engine says. */
function lab() {
  const clock = new VirtualClock()
  const outputs: Output[] = []
  const history: string[] = []
  const perform = (output: Output): void => {
    outputs.push(output)
    if (output.kind === 'publish') for (const change of output.changes) history.push(`${clock.now()} ${words(change)}`)
    else if (output.kind === 'restartContainer') history.push(`${clock.now()} restart ${output.id}`)
    else if (output.kind !== 'report') history.push(`${clock.now()} ${output.kind}`)
  }
  const machine = createHealth({ expose: 'labelled' })
  const driver = drive<Input, Output>(machine, clock, perform)
  const feed = (input: Input): void => driver.feed(input)
  const moment = () => ({ now: clock.now(), wallNow: clock.wallNow() })
  const instances = (): readonly Instance[] =>
    outputs.flatMap(output =>
      output.kind === 'publish'
        ? output.changes.flatMap(({ body }) => (body.kind === 'instance' ? [body.instance] : []))
        : [],
    )
  return {
    clock,
    machine,
    outputs,
    history,
    feed,
    latest: () => instances().at(-1),
    reports: () => outputs.flatMap(output => (output.kind === 'report' ? [output.message] : [])),
    connect: () => feed({ kind: 'engineConnected', now: clock.now(), version: '28.0' }),
    list: (...containers: readonly ContainerFact[]) => feed({ kind: 'containersListed', containers, ...moment() }),
    see: (over: Partial<ContainerFact>) => feed({ kind: 'containerChanged', container: aContainer(over), ...moment() }),
    restartEnds: (id: string, outcome: 'done' | 'failed' | 'gone' = 'done') =>
      feed({ kind: 'restartFinished', now: clock.now(), id, outcome }),
  }
}

function words({ key, body }: Change): string {
  return body.kind === 'instance' ? `${key} ${body.instance.state}` : `${key} ${body.kind}`
}

function several(count: number): readonly ContainerFact[] {
  return Array.from({ length: count }, (_, i) => aContainer({ id: `c${i}`, name: `c-${i}` }))
}

describe('what the cluster is told', () => {
  test('the first list is told in one piece, and then the section is complete, once', () => {
    const { connect, list, outputs } = lab()
    connect()
    list(...several(3))
    list(...several(3))
    expect(outputs.map(output => output.kind)).toEqual(['report', 'publish', 'sectionComplete'])
  })

  test('an engine without containers completes the section too', () => {
    const { connect, list, history } = lab()
    connect()
    list()
    expect(history).toEqual(['0 sectionComplete'])
  })

  test('what a list leaves out is gone', () => {
    const { list, history } = lab()
    list(...several(2))
    list(aContainer({ id: 'c1', name: 'c-1' }))
    expect(history).toEqual(['0 i/c0 healthy', '0 i/c1 healthy', '0 sectionComplete', '0 i/c0 removed'])
  })

  test('a removed container is told once, an unknown one never', () => {
    const { list, feed, history } = lab()
    list(...several(1))
    for (const id of ['c0', 'c0', 'never-seen']) feed({ kind: 'containerRemoved', now: 0, id })
    expect(history.slice(2)).toEqual(['0 i/c0 removed'])
  })

  test('a failing check is told at once, a growing streak only at powers of two', () => {
    const { list, see, clock, outputs, latest } = lab()
    list(aContainer())
    clock.advance(5_000)
    const before = outputs.length
    for (let failingStreak = 3; failingStreak <= 64; failingStreak++) {
      see({ health: 'unhealthy', failingStreak })
      clock.advance(5_000)
    }
    expect(outputs.length - before).toBe(6)
    expect(latest()).toMatchObject({ state: 'unhealthy', consecutiveFailures: 64, reason: 'its check fails' })
  })

  test('since keeps the moment of the last change of state', () => {
    const { list, see, clock, latest } = lab()
    list(aContainer({ startedAtWallMs: 123 }))
    expect(latest()?.sinceWallMs).toBe(123)
    clock.advance(60_000)
    see({ health: 'unhealthy', failingStreak: 3 })
    const downSince = clock.wallNow()
    clock.advance(60_000)
    see({ health: 'unhealthy', failingStreak: 99 })
    expect(latest()).toMatchObject({ sinceWallMs: downSince, consecutiveFailures: 99 })
  })

  test('losing the engine keeps what was told, and says so', () => {
    const { connect, list, feed, history, reports } = lab()
    connect()
    list(aContainer())
    const before = history.length
    feed({ kind: 'engineDisconnected', now: 5, reason: 'socket closed' })
    expect(history.length).toBe(before)
    expect(reports()).toContain('lost the container engine; what was known stays')
  })

  test('the census counts what was told', () => {
    const { list, machine } = lab()
    list(aContainer({ id: 'a' }), aContainer({ id: 'b', state: 'exited' }), aContainer({ id: 'c', health: 'starting' }))
    expect(machine.census()).toEqual({ healthy: 1, unhealthy: 0, starting: 1, stopped: 1 })
  })
})

describe('damping', () => {
  /** Fails and recovers `times` times, ten seconds apart. */
  function flap({ clock, see }: ReturnType<typeof lab>, times: number): void {
    for (let i = 0; i < times; i++) {
      clock.advance(10_000)
      see({ health: 'unhealthy', failingStreak: 3 })
      clock.advance(10_000)
      see({})
    }
  }

  test('the first recovery passes at once, the third waits four seconds and says why', () => {
    const it = lab()
    it.list(aContainer())
    flap(it, 1)
    expect(it.latest()?.state).toBe('healthy')
    flap(it, 2)
    expect(it.latest()).toMatchObject({
      state: 'unhealthy',
      reason: 'recovered, held back for 4 s after 3 flaps',
      consecutiveFailures: 0,
    })
    const heldAt = it.clock.now()
    it.clock.advance(60_000)
    expect(it.latest()?.state).toBe('healthy')
    expect(it.history.at(-1)).toBe(`${heldAt + 4_000} i/c0ffee000000 healthy`)
  })

  test('a new container of the same service inherits no penalty', () => {
    const it = lab()
    it.list(aContainer())
    flap(it, 4)
    it.list(aContainer({ id: 'recreated', name: 'shop-web-1', health: 'starting' }))
    it.clock.advance(1_000)
    it.see({ id: 'recreated' })
    expect(it.latest()).toMatchObject({ containerId: 'recreated', state: 'healthy' })
  })

  test('a restart nobody saw counts as a flap', () => {
    const it = lab()
    it.list(aContainer({ startedAtWallMs: 0 }))
    for (let i = 1; i <= 3; i++) {
      it.clock.advance(10_000)
      it.see({ startedAtWallMs: i * 10_000 })
    }
    expect(it.latest()).toMatchObject({ state: 'unhealthy', reason: 'recovered, held back for 4 s after 3 flaps' })
  })

  test('the hold ends although the engine is lost meanwhile', () => {
    const it = lab()
    it.list(aContainer())
    flap(it, 3)
    it.feed({ kind: 'engineDisconnected', now: it.clock.now(), reason: 'gone' })
    it.clock.advance(4_000)
    expect(it.latest()?.state).toBe('healthy')
  })

  test('a hundred flaps a second for twenty seconds are at most two messages a second, and traffic is off at the end', () => {
    const it = lab()
    it.list(aContainer())
    for (let i = 0; i < 2_000; i++) {
      it.clock.advance(10)
      it.see(i % 2 === 0 ? { state: 'exited' } : {})
    }
    expect(it.history.length).toBeLessThan(40)
    expect(it.latest()?.state).not.toBe('healthy')
    it.clock.advance(61_000)
    expect(it.latest()?.state).toBe('healthy')
  })

  test('going down is told at once even right after coming up', () => {
    const it = lab()
    it.list(aContainer({ health: 'starting' }))
    it.clock.advance(1_000)
    it.see({})
    it.clock.advance(1)
    it.see({ health: 'unhealthy', failingStreak: 1 })
    expect(it.history.slice(-2)).toEqual(['1000 i/c0ffee000000 healthy', '1001 i/c0ffee000000 unhealthy'])
  })
})

describe('labelled restarts', () => {
  const sick = { labels: labelled, health: 'unhealthy', failingStreak: 3 } as const

  function restarts(history: readonly string[]): readonly string[] {
    return history.filter(line => line.includes(' restart '))
  }

  test('only the exact label asks for it', () => {
    for (const value of ['True', '1', 'false', '']) {
      const it = lab()
      it.list(aContainer({ ...sick, labels: { 'deunhealth.restart.on.unhealthy': value } }))
      expect(restarts(it.history)).toEqual([])
    }
  })

  test.each(['exited', 'paused', 'created', 'dead', 'restarting'] as const)(
    'nothing that is %s is restarted',
    state => {
      const it = lab()
      it.list(aContainer({ ...sick, state }))
      expect(restarts(it.history)).toEqual([])
    },
  )

  test('a container that never recovers is restarted five times, ever more slowly, then left alone', () => {
    const it = lab()
    it.list(aContainer(sick))
    for (let second = 0; second < 3_600; second++) {
      const restart = it.outputs.at(-1)
      if (restart?.kind === 'restartContainer') it.restartEnds(restart.id)
      it.clock.advance(1_000)
      it.see(sick)
    }
    expect(restarts(it.history)).toEqual([0, 10, 30, 70, 150].map(second => `${second * 1_000} restart c0ffee000000`))
    expect(it.history.filter(line => line.endsWith('restartGivenUp'))).toEqual(['151000 restartGivenUp'])
    expect(it.latest()?.restartGivenUp).toBe(true)
  })

  test('what we saw before the restart ended restarts nothing again', () => {
    const it = lab()
    it.list(aContainer(sick))
    it.restartEnds('c0ffee000000')
    it.clock.advance(3_600_000)
    expect(restarts(it.history).length).toBe(1)
  })

  test('after a reconnect nothing is restarted before the engine has been listed', () => {
    const it = lab()
    it.connect()
    it.list(aContainer({ labels: labelled }))
    it.feed({ kind: 'engineDisconnected', now: it.clock.now(), reason: 'restarted' })
    it.connect()
    it.see(sick)
    expect(restarts(it.history)).toEqual([])
    it.list(aContainer(sick))
    expect(restarts(it.history).length).toBe(1)
  })

  test('at most three run at a time, the rest follow as those end', () => {
    const it = lab()
    it.list(...several(8).map(container => ({ ...container, ...sick })))
    expect(restarts(it.history).length).toBe(3)
    it.restartEnds('c0')
    it.restartEnds('c1', 'failed')
    expect(restarts(it.history).length).toBe(5)
  })

  test('a container that vanished during its restart blocks nobody', () => {
    const it = lab()
    it.list(...several(4).map(container => ({ ...container, ...sick })))
    it.feed({ kind: 'containerRemoved', now: 1, id: 'c0' })
    it.restartEnds('c0', 'gone')
    expect(restarts(it.history).at(-1)).toContain('restart c3')
  })

  test('an engine that lists what it cannot find when asked to restart it is not asked again at once', () => {
    const it = lab()
    it.list(aContainer(sick))
    for (let second = 0; second < 60; second++) {
      const last = it.outputs.findLast(output => output.kind === 'restartContainer')
      if (last?.kind === 'restartContainer' && restarts(it.history).at(-1)?.startsWith(`${it.clock.now()} `) === true)
        it.restartEnds(last.id, 'gone')
      it.clock.advance(1_000)
      it.see(sick)
    }
    expect(restarts(it.history)).toEqual([0, 10, 30].map(second => `${second * 1_000} restart c0ffee000000`))
  })

  test('beside a running deunhealth ours stands down, says so once, and resumes when it is gone', () => {
    const it = lab()
    const other = aContainer({ id: 'd', name: 'deunhealth', image: 'qmcgaw/deunhealth:latest', labels: {} })
    it.list(other, aContainer(sick))
    it.list(other, aContainer(sick))
    expect(restarts(it.history)).toEqual([])
    expect(it.reports()).toEqual(['another restarter runs here; leaving labelled restarts to it'])
    it.see({ ...other, state: 'exited' })
    expect(restarts(it.history).length).toBe(1)
  })
})

describe('bad input', () => {
  test('an engine that suddenly lists nothing is asked twice, then believed', () => {
    const it = lab()
    it.list(...several(60))
    it.list()
    expect(it.history.filter(line => line.includes('removed'))).toEqual([])
    expect(it.reports()).toEqual(['the engine lists no container at all; asking once more before believing it'])
    it.list()
    expect(it.history.filter(line => line.includes('removed')).length).toBe(60)
  })

  test('the doubt ends with the first list that names something', () => {
    const it = lab()
    it.list(...several(60))
    it.list()
    it.list(...several(60))
    it.list()
    expect(it.history.filter(line => line.includes('removed'))).toEqual([])
  })

  test('the last of two containers of a small node may vanish by list at once', () => {
    const it = lab()
    it.list(...several(2))
    it.list()
    expect(it.history.filter(line => line.includes('removed')).length).toBe(2)
  })

  test('an id listed twice is one instance, a container without an id none, without a name one', () => {
    const it = lab()
    it.list(
      aContainer({ id: 'twice' }),
      aContainer({ id: 'twice' }),
      aContainer({ id: '' }),
      aContainer({ id: 'x', name: '' }),
    )
    it.list(aContainer({ id: 'twice' }), aContainer({ id: '' }), aContainer({ id: 'x', name: '' }))
    expect(it.history).toEqual(['0 i/twice healthy', '0 i/x healthy', '0 sectionComplete'])
    expect(it.reports()).toEqual(['the engine reports a container without an id; ignored'])
  })

  test('ten thousand labels are read in well under a second and make a small record', () => {
    const it = lab()
    const labels = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [`traefik.http.routers.r${i}.rule`, `Host(\`h${i}.example\`)`]),
    )
    const before = process.cpuUsage()
    it.list(aContainer({ labels: { ...labels, 'traefik.enable': 'true' } }))
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000)
    expect(JSON.stringify(it.latest()).length).toBeLessThan(16_384)
  })

  test('a clock that goes back changes nothing', () => {
    const it = lab()
    it.clock.advance(50_000)
    it.list(aContainer())
    it.feed({ kind: 'containerRemoved', now: 10, id: 'nobody' })
    it.see({ health: 'unhealthy', failingStreak: 1 })
    expect(it.latest()?.state).toBe('unhealthy')
  })
})
