/**
 * Two counters that end loops. `constellation-hops` travels between proxies only: its presence says "a proxy sent this,
 * answer from your own node". `constellation-passes` travels everywhere, for the loop that leads through an instance (a
 * container that is itself a reverse proxy and sends the request back); chains of honest services stay far below it.
 */
export const hopsHeader = 'constellation-hops'
export const passesHeader = 'constellation-passes'
export const hopsMax = 2
export const passesMax = 8

export interface Journey {
  /** Proxies that handed this request to each other so far; 0: it comes from a client. */
  readonly hops: number
  /** Times any proxy of the cluster has forwarded it. */
  readonly passes: number
}

/** Undefined when a counter is not a small number: somebody plays with it. */
export function parseJourney(hops: string | undefined, passes: string | undefined): Journey | undefined {
  const parsed = { hops: parseCount(hops), passes: parseCount(passes) }
  return parsed.hops === undefined || parsed.passes === undefined
    ? undefined
    : { hops: parsed.hops, passes: parsed.passes }
}

/** True when forwarding once more would break a limit: answer 508. */
export function isLoop(journey: Journey): boolean {
  return journey.hops >= hopsMax || journey.passes >= passesMax
}

/** Header lines for the next attempt, as name, value, name, value. An instance never learns of hops. */
export function journeyHeaders(journey: Journey, via: 'instance' | 'peerProxy'): readonly string[] {
  const passes = [passesHeader, String(journey.passes + 1)]
  return via === 'peerProxy' ? [hopsHeader, String(journey.hops + 1), ...passes] : passes
}

function parseCount(text: string | undefined): number | undefined {
  if (text === undefined) return 0
  return /^[0-9]{1,3}$/.test(text) ? Number(text) : undefined
}
