/** How late the thread we run in serves its timers. Costs no timer of its own: an idle agent must not wake for this. */
import type { Millis } from '../kernel/units.ts'

/** The 99th percentile since the last call; 0 when no timer fell due. */
export type TakeRuntimeDelay = () => Millis
