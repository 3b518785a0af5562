/**
 * Leaving for good: say so, and stay until enough others heard it. Afterwards nothing that is said about us matters, and
 * the machine is silent for ever; coming back takes a new one.
 */
import { applyDead } from './dead-rule.ts'
import { closeExchange } from './exchanges.ts'
import { cancelProbe } from './probe.ts'
import { emit, isLive } from './state.ts'
import type { State } from './state.ts'

export function startLeaving(state: State): void {
  if (state.phase !== 'running') return
  state.phase = 'leaving'
  cancelProbe(state)
  const { name: node, incarnation } = state.self
  applyDead(state, { kind: 'dead', node, incarnation, from: node })
}

export function finishLeaving(state: State): void {
  if (state.phase !== 'leaving') return
  const heardBySomebody = state.roster.some(member => member !== state.self && isLive(member))
  if (heardBySomebody && state.news.has(state.self.name)) return
  state.phase = 'left'
  for (const [stream, exchange] of state.exchanges) closeExchange(state, stream, exchange)
  state.relays.clear()
  emit(state, { kind: 'leaveFinished' })
}
