/**
 * Two ports that are each other's other end, in one thread. Messages are copied as between threads and delivered by the
 * clock, so that virtual time moves them. A silent side takes nothing until it is woken, as a thread that stands still.
 */
import type { Clock } from '../ports/clock.ts'
import type { ThreadPort } from '../ports/thread-port.ts'

export interface PairedPort<Sent, Received> extends ThreadPort<Sent, Received> {
  /** What was posted here and not yet delivered. */
  readonly undelivered: readonly Sent[]
}

export interface ThreadPair<A, B> {
  readonly left: PairedPort<A, B>
  readonly right: PairedPort<B, A>
  /** Nothing reaches `left` until it may hear again. */
  setDeaf(isDeaf: boolean): void
}

export function threadPair<A, B>(clock: Clock): ThreadPair<A, B> {
  const toRight = lane<A>(clock)
  const toLeft = lane<B>(clock)
  return {
    left: endOf(toRight, toLeft),
    right: endOf(toLeft, toRight),
    setDeaf: isDeaf => toLeft.setDeaf(isDeaf),
  }
}

function endOf<Sent, Received>(out: Lane<Sent>, back: Lane<Received>): PairedPort<Sent, Received> {
  return { post: message => out.post(message), listen: listener => back.listen(listener), undelivered: out.queue }
}

interface Lane<M> {
  readonly queue: readonly M[]
  post(message: M): void
  listen(listener: (message: M) => void): void
  setDeaf(isDeaf: boolean): void
}

function lane<M>(clock: Clock): Lane<M> {
  const queue: M[] = []
  let listener: ((message: M) => void) | undefined
  let isDeaf = false
  let isArmed = false

  function deliver(): void {
    isArmed = false
    if (isDeaf || listener === undefined) return
    // What is posted in answer to a message is another turn's.
    for (const message of queue.splice(0)) listener(message)
  }

  function arm(): void {
    if (isArmed || queue.length === 0) return
    isArmed = true
    clock.at(clock.now(), deliver)
  }

  return {
    queue,
    post(message) {
      queue.push(structuredClone(message))
      arm()
    },
    listen(next) {
      listener = next
      arm()
    },
    setDeaf(next) {
      isDeaf = next
      arm()
    },
  }
}
