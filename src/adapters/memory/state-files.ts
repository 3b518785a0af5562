/** State files that live as long as the object: for tests, and for agents that keep nothing. */
import { invariant } from '../../kernel/invariant.ts'
import type { StateFiles } from '../../ports/state-files.ts'

const namePattern = /^[A-Za-z0-9][\w.-]{0,99}$/

export function memoryStateFiles(): StateFiles {
  const files = new Map<string, string>()
  return {
    read(name) {
      invariant(namePattern.test(name), `a state file's name is plain: ${name}`)
      return Promise.resolve(files.get(name))
    },
    write(name, text) {
      invariant(namePattern.test(name) && !name.endsWith('.tmp'), `a state file's name is plain: ${name}`)
      files.set(name, text)
      return Promise.resolve()
    },
  }
}
