/** First in, first out, with a limit and a drop rule, so that nothing from outside can grow memory without bound. */
export interface BoundedQueue<T> {
  readonly length: number
  /** How many items were dropped since the start; belongs in a metric. */
  readonly dropped: number
  /** False when the limit was reached and one item (by the rule) was dropped. */
  push(item: T): boolean
  shift(): T | undefined
}

export function boundedQueue<T>(limit: number, rule: 'dropNewest' | 'dropOldest'): BoundedQueue<T> {
  const items: T[] = []
  let dropped = 0
  return {
    get length() {
      return items.length
    },
    get dropped() {
      return dropped
    },
    push(item) {
      if (items.length < limit) {
        items.push(item)
        return true
      }
      dropped++
      if (rule === 'dropOldest') {
        items.shift()
        items.push(item)
      }
      return false
    },
    shift: () => items.shift(),
  }
}
