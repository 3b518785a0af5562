/**
 * The cluster's side of the door: performs what it is asked, answers, and reports what happens. What the cluster would
 * have told a log, the metrics or the journal goes through the outbox. Nothing is taken from the port before there is a
 * cluster; when there will be none, whoever asks for anything is told why.
 */
import { unreachable } from '../../kernel/invariant.ts'
import type { ThreadPort } from '../../ports/thread-port.ts'
import type { ClusterHandle } from '../cluster-handle.ts'
import { errorData } from './error-data.ts'
import type { Answer, FromCluster, Question, ToCluster } from './messages.ts'
import { createOutbox } from './outbox.ts'
import type { Outbox, OutboxOptions } from './outbox.ts'

type HostPort = ThreadPort<FromCluster, ToCluster>
export type HostOptions = Pick<OutboxOptions, 'clock' | 'logLevel'>
export type MakeCluster = (ports: Pick<Outbox, 'log' | 'metrics' | 'journal'>) => Promise<ClusterHandle>

/** Resolves when the door is open, also when there is nothing behind it. */
export async function hostCluster(port: HostPort, options: HostOptions, make: MakeCluster): Promise<void> {
  const outbox = createOutbox({ ...options, post: report => port.post({ kind: 'reported', report }) })
  try {
    serve(port, outbox, await make(outbox))
  } catch (error) {
    refuse(port, outbox, error)
  }
}

function serve(port: HostPort, outbox: Outbox, cluster: ClusterHandle): void {
  outbox.open(cluster)

  async function perform(question: Question): Promise<Answer> {
    switch (question.kind) {
      case 'start':
        await cluster.start()
        return done
      case 'publish':
        return { kind: 'published', revisions: await cluster.publish(question.changes) }
      case 'keys':
        return { kind: 'keys', outcome: await cluster.keys(question.operation, question.timeoutMs) }
      case 'leave':
        await cluster.leave(question.timeoutMs)
        return done
      case 'stop':
        await cluster.stop()
        outbox.close()
        return done
      default:
        return unreachable(question)
    }
  }

  function answer(call: number, question: Question): void {
    const settle = (message: FromCluster): void => {
      // What led to the answer is told before it.
      outbox.flush()
      port.post(message)
    }
    perform(question).then(
      answer => settle({ kind: 'answered', call, answer }),
      (error: unknown) => settle({ kind: 'failed', call, error: errorData(error) }),
    )
  }

  port.listen(message => {
    switch (message.kind) {
      case 'asked':
        return answer(message.call, message.question)
      case 'completed':
        return cluster.markComplete()
      case 'profileChanged':
        return cluster.setProfile(message.profile)
      case 'reportTaken':
        return outbox.taken()
      default:
        return unreachable(message)
    }
  })
}

function refuse(port: HostPort, outbox: Outbox, reason: unknown): void {
  const error = errorData(reason)
  outbox.flush()
  port.listen(message => {
    if (message.kind === 'reportTaken') return outbox.taken()
    if (message.kind === 'asked') port.post({ kind: 'failed', call: message.call, error })
  })
}

const done: Answer = { kind: 'done' }
