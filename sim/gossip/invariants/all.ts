/** The list. Each is a file of its own; this one only says which there are. */
import type { GossipInvariant } from '../invariant.ts'
import { bounded } from './bounded.ts'
import { deathsNoticed } from './deaths-noticed.ts'
import { epochRises } from './epoch-rises.ts'
import { hearsayKillsNobody } from './hearsay-kills-nobody.ts'
import { leftStaysLeft } from './left-stays-left.ts'
import { neverBack } from './never-back.ts'
import { newsSpread } from './news-spread.ts'
import { nobodyDiesByMistake } from './nobody-dies-by-mistake.ts'
import { onlyOwnerRaises } from './only-owner-raises.ts'
import { packetBudget } from './packet-budget.ts'
import { recordsForward } from './records-forward.ts'
import { toldOftenEnough } from './told-often-enough.ts'
import { traffic } from './traffic.ts'
import { understood } from './understood.ts'

export const gossipInvariants: readonly GossipInvariant[] = [
  onlyOwnerRaises,
  neverBack,
  packetBudget,
  deathsNoticed,
  nobodyDiesByMistake,
  hearsayKillsNobody,
  leftStaysLeft,
  toldOftenEnough,
  bounded,
  recordsForward,
  newsSpread,
  epochRises,
  understood,
  traffic,
]
