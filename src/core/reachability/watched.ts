/** One node that is watched: its questions (the agent, each instance), their answers and when they are asked again. */
import { sameAddress } from '../../kernel/units.ts'
import type { Address, Millis } from '../../kernel/units.ts'
import type { ProbeVerdict, Reachability } from '../registry/index.ts'
import type { Target } from './types.ts'

/** Changed in place by the machine that owns it. */
export interface Question {
  /** Undefined: the agent itself. */
  readonly containerId: string | undefined
  readonly address: Address
  nextAt: Millis
  inFlight: boolean
  /** The last probe was lost although the one before was not: it is asked once more before that is believed. */
  doubted: boolean
  verdict: ProbeVerdict | undefined
  /** Of the last verdict, also when it has expired; undefined until the first. */
  verdictAt: Millis | undefined
}

export interface Watched {
  readonly since: Millis
  agent: Question
  instances: ReadonlyMap<string, Question>
  /** What is known, undefined until the agent's port has been asked. The same object while nothing changes. */
  reachability: Reachability | undefined
}

export function watch(target: Target, now: Millis): Watched {
  const agent = ask(undefined, target.agent, now)
  return retarget({ since: now, agent, instances: new Map(), reachability: undefined }, target, now)
}

/** Questions whose address stayed keep their answers. */
export function retarget(watched: Watched, target: Target, now: Millis): Watched {
  if (!sameAddress(watched.agent.address, target.agent)) watched.agent = ask(undefined, target.agent, now)
  const instances = new Map<string, Question>()
  for (const [id, address] of target.instances) {
    const known = watched.instances.get(id)
    instances.set(id, known !== undefined && sameAddress(known.address, address) ? known : ask(id, address, now))
  }
  watched.instances = instances
  return watched
}

function ask(containerId: string | undefined, address: Address, now: Millis): Question {
  return {
    containerId,
    address,
    nextAt: now,
    inFlight: false,
    doubted: false,
    verdict: undefined,
    verdictAt: undefined,
  }
}

/** One lost packet looks like a host that is gone: after an answer, silence has to be heard twice. */
export function answer(question: Question, verdict: ProbeVerdict, now: Millis): void {
  question.inFlight = false
  const isDoubtful = verdict === 'silent' && question.verdict !== undefined && question.verdict !== 'silent'
  if (isDoubtful && !question.doubted) {
    question.doubted = true
    question.nextAt = now
    return
  }
  question.doubted = false
  question.verdict = verdict
  question.verdictAt = now
}

export function allQuestions({ agent, instances }: Watched): readonly Question[] {
  return [agent, ...instances.values()]
}

/**
 * Behind an agent's port that stays silent there is no host, and nothing is decided by its instances: they are asked
 * once and then wait until the host says something.
 */
export function isOpen({ agent }: Watched, question: Question): boolean {
  return question === agent || agent.verdict !== 'silent' || question.verdictAt === undefined
}

/** True when `reachability` became another. */
export function refresh(watched: Watched): boolean {
  const { agent, instances, reachability: before } = watched
  if (agent.verdict === undefined) {
    watched.reachability = undefined
    return before !== undefined
  }
  const found = new Map<string, ProbeVerdict>()
  for (const [id, { verdict }] of instances) if (verdict !== undefined) found.set(id, verdict)
  if (before?.agent === agent.verdict && sameVerdicts(before.instances, found)) return false
  watched.reachability = { agent: agent.verdict, instances: found }
  return true
}

function sameVerdicts(a: ReadonlyMap<string, ProbeVerdict>, b: ReadonlyMap<string, ProbeVerdict>): boolean {
  return a.size === b.size && [...a].every(([id, verdict]) => b.get(id) === verdict)
}
