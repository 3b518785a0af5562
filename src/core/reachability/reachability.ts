/**
 * Is a node whose agent does not answer really gone? Asks for TCP connects to the agent's port and to its instances, at
 * once and then again and again, and keeps what they found. Must not open a socket or decide about traffic: the view does.
 * Invariants: at most `probesAtOnceMax` connects are open; a verdict is never older than three intervals; nothing is
 * known about a node that is not a target.
 */
import { invariant, unreachable } from '../../kernel/invariant.ts'
import type { Millis, NodeName } from '../../kernel/units.ts'
import type { ProbeVerdict, Reachability } from '../registry/index.ts'
import type { Input, Output, ProbeToken, ReachabilityMachine, Target } from './types.ts'
import { allQuestions, answer, isOpen, refresh, retarget, watch } from './watched.ts'
import type { Question, Watched } from './watched.ts'

/** Few enough not to look like a port scan, enough for a node's instances within two seconds though all are silent. */
export const probesAtOnceMax = 32
/** A handshake over a relayed tailnet takes a few hundred milliseconds. */
export const probeTimeoutMs: Millis = 1_000
/** An answer later than this is lost: its slot is given to another. */
const lostAfterMs: Millis = 5 * probeTimeoutMs
/** While it is news, and traffic may depend on it. */
const quickIntervalMs: Millis = 2_000
const quickForMs: Millis = 60_000
const slowIntervalMs: Millis = 10_000
/** A verdict older than this many intervals says nothing any more. */
const intervalsValid = 3

interface Turn {
  readonly question: Question
  readonly intervalMs: Millis
  /** Worth asking now. */
  readonly open: boolean
}

export function createReachability(): ReachabilityMachine {
  const watched = new Map<NodeName, Watched>()
  const inFlight = new Map<ProbeToken, { readonly question: Question; readonly lostAt: Millis }>()
  let nextToken: ProbeToken = 1
  let now: Millis = 0
  let verdicts: ReadonlyMap<NodeName, Reachability> = new Map()
  let deadline: Millis | undefined

  function retargetAll(targets: readonly Target[]): void {
    const names = new Set(targets.map(target => target.node))
    for (const node of watched.keys()) if (!names.has(node)) watched.delete(node)
    for (const target of targets) {
      const known = watched.get(target.node)
      if (known === undefined) watched.set(target.node, watch(target, now))
      else retarget(known, target, now)
    }
  }

  function finish(token: ProbeToken, verdict: ProbeVerdict): void {
    const probe = inFlight.get(token)
    if (probe === undefined) return // given up as lost
    inFlight.delete(token)
    answer(probe.question, verdict, now)
  }

  function takeLost(): void {
    for (const [token, { lostAt }] of inFlight) if (lostAt <= now) finish(token, 'silent')
  }

  /** Every question, with how long to wait between two connects to the same place. */
  function allTurns(): readonly Turn[] {
    const nodes = [...watched.values()].map(node => ({ node, questions: allQuestions(node) }))
    let openCount = 0
    for (const { node, questions } of nodes) for (const question of questions) if (isOpen(node, question)) openCount++
    // With many places everybody's turn comes later, so that all have one though each connect takes its whole timeout.
    const rotationMs = (openCount * probeTimeoutMs) / probesAtOnceMax
    return nodes.flatMap(({ node, questions }) => {
      const wanted = now - node.since < quickForMs ? quickIntervalMs : slowIntervalMs
      const intervalMs = Math.max(wanted, rotationMs)
      return questions.map(question => ({ question, intervalMs, open: isOpen(node, question) }))
    })
  }

  function expire(turns: readonly Turn[]): void {
    for (const turn of turns) if (expiryOf(turn) <= now) turn.question.verdict = undefined
  }

  /** Who has waited longest comes first; of those, agents, because all else hangs on them. */
  function launch(turns: readonly Turn[]): readonly Output[] {
    const due = turns
      .filter(({ question, open }) => open && !question.inFlight && question.nextAt <= now)
      .sort((a, b) => a.question.nextAt - b.question.nextAt || rank(a.question) - rank(b.question))
    return due.slice(0, Math.max(0, probesAtOnceMax - inFlight.size)).map(({ question, intervalMs }) => {
      const token = nextToken++
      question.nextAt = now + intervalMs
      question.inFlight = true
      inFlight.set(token, { question, lostAt: now + lostAfterMs })
      return { kind: 'probe', address: question.address, token, timeoutMs: probeTimeoutMs }
    })
  }

  function collect(): readonly Output[] {
    let changed = false
    for (const node of watched.values()) changed = refresh(node) || changed
    const next = new Map<NodeName, Reachability>()
    for (const [name, { reachability }] of watched) if (reachability !== undefined) next.set(name, reachability)
    if (!changed && next.size === verdicts.size) return []
    verdicts = next
    return [{ kind: 'verdictsChanged' }]
  }

  function apply(input: Input): void {
    switch (input.kind) {
      case 'targetsChanged':
        return retargetAll(input.targets)
      case 'probeFinished':
        return finish(input.token, input.verdict)
      case 'tick':
        return
      default:
        unreachable(input)
    }
  }

  function step(input: Input): readonly Output[] {
    now = Math.max(now, input.now)
    apply(input)
    takeLost()
    const turns = allTurns()
    expire(turns)
    const probes = launch(turns)
    invariant(inFlight.size <= probesAtOnceMax, 'no more probes than allowed')
    deadline = nextMoment(turns)
    return [...probes, ...collect()]
  }

  /** A free slot serves whoever is due next; without one only an answer, or a lost one, changes anything. */
  function nextMoment(turns: readonly Turn[]): Millis | undefined {
    let earliest = Infinity
    const isFull = inFlight.size >= probesAtOnceMax
    for (const { lostAt } of inFlight.values()) earliest = Math.min(earliest, lostAt)
    for (const turn of turns) {
      const { question, open } = turn
      if (open && !question.inFlight && !isFull) earliest = Math.min(earliest, question.nextAt)
      earliest = Math.min(earliest, expiryOf(turn))
    }
    return earliest === Infinity ? undefined : earliest
  }

  return { step, nextDeadline: () => deadline, verdicts: () => verdicts }
}

function expiryOf({ question: { verdict, verdictAt }, intervalMs }: Turn): Millis {
  return verdict === undefined || verdictAt === undefined ? Infinity : verdictAt + intervalsValid * intervalMs
}

function rank({ containerId }: Question): number {
  return containerId === undefined ? 0 : 1
}
