/**
 * Runs tasks on all cores. A worker is a process that was started as this one was, so it loads TypeScript the same way.
 * Results come in the order in which they are done.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SeedResult } from './suite.ts'
import type { Task } from './work.ts'

const workerFile = fileURLToPath(new URL('worker.ts', import.meta.url))

export function runTasks(
  tasks: readonly Task[],
  workers: number,
  onResult: (result: SeedResult, done: number) => void,
): Promise<void> {
  const waiting = [...tasks]
  let done = 0
  return new Promise((resolve, reject) => {
    const crew = new Set<ChildProcess>()
    function dismiss(worker: ChildProcess): void {
      crew.delete(worker)
      worker.disconnect()
      if (crew.size === 0) resolve()
    }
    function next(worker: ChildProcess): void {
      const task = waiting.shift()
      if (task === undefined) dismiss(worker)
      else worker.send(task)
    }
    for (let i = 0; i < Math.min(workers, tasks.length); i++) {
      const worker = fork(workerFile, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
      crew.add(worker)
      worker.on('message', (result: SeedResult) => {
        onResult(result, ++done)
        next(worker)
      })
      worker.on('error', reject)
      worker.on('exit', code => {
        if (crew.delete(worker)) reject(new Error(`a worker ended with ${code} before its work was done`))
      })
      next(worker)
    }
    if (tasks.length === 0) resolve()
  })
}
