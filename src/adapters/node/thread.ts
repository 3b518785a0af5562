/**
 * ports/thread-port.ts over Node's worker threads: from inside the thread, and from where it is started. What messages
 * look like is agreed between the two sides, which are built from the same source.
 */
import { MessageChannel, MessagePort, Worker, workerData } from 'node:worker_threads'
import type { ResourceLimits } from 'node:worker_threads'
import { invariant } from '../../kernel/invariant.ts'
import type { ThreadPort } from '../../ports/thread-port.ts'

export interface Thread<Sent, Received> extends ThreadPort<Sent, Received> {
  /** To be called once. What was posted before waits for the thread. */
  start(): void
  /** Resolves when the thread is gone. */
  end(): Promise<void>
}

export interface ThreadOptions {
  readonly entry: URL
  /** For people who look at the process. */
  readonly name: string
  /** Plain data for the thread. */
  readonly data: unknown
  readonly resourceLimits: ResourceLimits
  /** It threw, or ended without being told to. Called once. */
  readonly onDeath: (error: unknown) => void
}

export function createThread<Sent, Received>(options: ThreadOptions): Thread<Sent, Received> {
  const { entry, name, data, resourceLimits, onDeath } = options
  const { port1: port, port2: theirs } = new MessageChannel()
  let worker: Worker | undefined
  let isOver = false

  function over(error: unknown): void {
    if (isOver) return
    isOver = true
    onDeath(error)
  }

  return {
    post: message => port.postMessage(message),
    listen(listener) {
      port.on('message', listener)
      // The thread keeps the process alive while it runs; an agent that failed before has nothing to wait for.
      port.unref()
    },
    start() {
      const handed: Handed = { port: theirs, data }
      worker = new Worker(entry, { name, workerData: handed, transferList: [theirs], resourceLimits })
      worker.on('error', over)
      worker.on('exit', code => over(new Error(`the thread "${name}" ended by itself with code ${code}`)))
    },
    async end() {
      isOver = true
      await worker?.terminate()
      port.close()
    },
  }
}

interface Handed {
  readonly port: MessagePort
  readonly data: unknown
}

/** From inside a thread: the way back, and what it was given. */
export function insideThread<Sent, Received>(): { readonly port: ThreadPort<Sent, Received>; readonly data: unknown } {
  const handed: unknown = workerData
  invariant(isHanded(handed), 'runs in a thread that createThread has started')
  const { port, data } = handed
  return {
    port: { post: message => port.postMessage(message), listen: listener => void port.on('message', listener) },
    data,
  }
}

function isHanded(value: unknown): value is Handed {
  return typeof value === 'object' && value !== null && 'port' in value && value.port instanceof MessagePort
}
