/** One worker process: takes a task, answers the result, waits for the next. Ends with its parent. */
import { suiteCalled } from './suites.ts'
import { perform } from './work.ts'
import type { Task } from './work.ts'

process.on('message', (task: Task) => {
  const result = perform(suiteCalled(task.suite), task)
  process.send?.(result)
})
process.on('disconnect', () => process.exit())
