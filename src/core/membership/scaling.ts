/** How periods and limits grow with the number of members. Pure arithmetic, the same figures as memberlist. */
import type { Millis } from '../../kernel/units.ts'

/** Cluster size up to which whole states are exchanged at the base interval. */
const pushPullThreshold = 32

/** How often each member passes a broadcast on. */
export function retransmitLimit(mult: number, members: number): number {
  return mult * Math.ceil(Math.log10(members + 1))
}

/** Each doubling above 32 members adds one base interval, so that the cluster's total rate stays bearable. */
export function pushPullInterval(baseMs: Millis, members: number): Millis {
  if (members <= pushPullThreshold) return baseMs
  return baseMs * (Math.ceil(Math.log2(members) - Math.log2(pushPullThreshold)) + 1)
}
