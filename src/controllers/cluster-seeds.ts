/**
 * Finding the cluster and keeping it in one piece. While we are alone every seed and every remembered peer is tried, soon
 * and then more rarely; once we have company only seeds that no member answers for are tried again, for they may stand for
 * the other half. Names are resolved anew each time. Dead members are retried by the membership itself.
 */
import type { Member } from '../core/membership/index.ts'
import { formatAddress, sameAddress } from '../kernel/units.ts'
import type { Address, Millis } from '../kernel/units.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

export interface SeedSettings {
  readonly seeds: readonly string[]
  /** Addresses that are ourselves. */
  readonly own: readonly Address[]
}

export interface SeedPorts {
  readonly clock: Clock
  readonly log: Log
  /** May reject; the seed is tried again. */
  readonly resolveSeed: (text: string) => Promise<readonly Address[]>
  /** Members other than ourselves. */
  readonly others: () => readonly Member[]
  readonly remembered: () => readonly Address[]
  readonly join: (addresses: readonly Address[]) => void
}

export interface SeedKeeper {
  start(): void
  joinFinished(address: Address, ok: boolean, reason: string | undefined): void
  stop(): void
}

const firstRetryMs: Millis = 1_000
const retryMsMax: Millis = 30_000

/** By its text alone: a name would have to be resolved first, so it counts as somebody else's. */
export function isOwnSeed(seed: string, own: readonly Address[]): boolean {
  return own.some(address => seed === address.ip || seed === formatAddress(address))
}

export function createSeedKeeper({ seeds, own }: SeedSettings, ports: SeedPorts): SeedKeeper {
  const { clock, log } = ports
  /** Being joined right now. */
  const pending = new Set<string>()
  /** What is already known not to work, so that it is said once and not every thirty seconds. */
  const troubles = new Map<string, string>()
  let retryMs = firstRetryMs
  let stopped = false
  let disarm = (): void => undefined

  function round(): void {
    const present = ports.others().filter(({ status }) => status === 'alive' || status === 'suspect')
    const isAlone = present.length === 0
    if (isAlone) tryAddresses(ports.remembered())
    for (const seed of seeds) void trySeed(seed, isAlone ? [] : ports.others())
    const delayMs = isAlone ? retryMs : retryMsMax
    retryMs = isAlone ? Math.min(2 * retryMs, retryMsMax) : firstRetryMs
    disarm = clock.at(clock.now() + delayMs, round)
  }

  async function trySeed(seed: string, members: readonly Member[]): Promise<void> {
    try {
      const addresses = await ports.resolveSeed(seed)
      troubles.delete(seed)
      const isMember = addresses.some(address => members.some(member => sameAddress(member.address, address)))
      const isOurselves = addresses.some(address => own.some(ours => sameAddress(ours, address)))
      if (!stopped && !isMember && !isOurselves) tryAddresses(addresses)
    } catch (error) {
      if (!stopped) complain(seed, 'cannot resolve a seed, trying again', error)
    }
  }

  function tryAddresses(addresses: readonly Address[]): void {
    const fresh = addresses.filter(
      address => !pending.has(formatAddress(address)) && !own.some(ours => sameAddress(ours, address)),
    )
    for (const address of fresh) pending.add(formatAddress(address))
    if (fresh.length > 0) ports.join(fresh)
  }

  function complain(seed: string, message: string, error: unknown): void {
    const trouble = String(error)
    const isKnown = troubles.get(seed) === trouble
    troubles.set(seed, trouble)
    log[isKnown ? 'debug' : 'warn'](message, { seed, error })
  }

  return {
    start: round,
    joinFinished(address, ok, reason) {
      const seed = formatAddress(address)
      pending.delete(seed)
      if (!ok) return complain(seed, 'cannot join at a seed, trying again', reason)
      troubles.delete(seed)
      log.info('joined the cluster', { seed })
    },
    stop() {
      stopped = true
      disarm()
    },
  }
}
