/**
 * A tick that comes late says that this process stood still: paused, swapped out, or its event loop blocked. Answers that
 * arrived meanwhile still wait in the socket, so the silence proves nothing against anybody.
 * Time in which we did not run therefore counts for no deadline that would accuse somebody, and our health score rises.
 */
import type { Millis } from '../../kernel/units.ts'
import type { State } from './state.ts'

export function absorbStall(state: State): void {
  const lateMs = state.now - state.wakeAt
  if (lateMs <= state.config.stallMs) return
  state.awareness.adjust(1)
  // A little more than we lost: what waits in the socket is read only after this tick.
  postpone(state, lateMs + state.config.stallMs)
}

function postpone(state: State, byMs: Millis): void {
  for (const member of state.suspects) member.suspicion?.postpone(byMs)
  if (state.probe !== undefined) {
    state.probe.directUntil += byMs
    state.probe.deadline += byMs
  }
  for (const exchange of state.exchanges.values()) exchange.deadline += byMs
}
