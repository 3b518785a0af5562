/**
 * Incarnations and sequence numbers are unsigned 32-bit counters that wrap. They are compared on a circle: of two values
 * the fresher one is less than half the circle ahead. Up to the wrap this is plain comparison, as memberlist does it; and
 * an absurdly high value from a hostile peer can be outbid by one instead of ending the counter for good.
 */
const half = 0x8000_0000

export function next(counter: number): number {
  return (counter + 1) >>> 0
}

export function isFresher(a: number, b: number): boolean {
  const lead = (a - b) >>> 0
  return lead !== 0 && lead < half
}

/** The counter after both. */
export function beyond(own: number, accused: number): number {
  return next(isFresher(accused, own) ? accused : own)
}
