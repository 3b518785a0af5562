/** A value and whoever wants to know when it changes. Listeners are called in order of subscription and must not throw. */
import type { Observable } from './handles.ts'

export interface Subject<T> extends Observable<T> {
  /** The same value again is no change. */
  set(value: T): void
}

export function createSubject<T>(first: T): Subject<T> {
  const listeners = new Set<(value: T) => void>()
  let current = first
  return {
    current: () => current,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    set(value) {
      if (value === current) return
      current = value
      for (const listener of listeners) listener(value)
    },
  }
}
