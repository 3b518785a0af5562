/**
 * Small files on a simulated disk, written as the agent writes them: temporary file, sync, rename, sync of the names. The
 * callbacks are for simulations, the promises for what expects the port.
 */
import { ConstellationError } from '../../kernel/errors.ts'
import { invariant } from '../../kernel/invariant.ts'
import type { StateFiles } from '../../ports/state-files.ts'
import type { SimDisk } from './disk.ts'

const namePattern = /^[A-Za-z0-9][\w.-]{0,99}$/

/** All or nothing, whatever the disk does meanwhile. A crash never calls back. */
export function replaceFile(disk: SimDisk, name: string, text: string, done: (ok: boolean) => void): void {
  const temporary = `${name}.tmp`
  disk.create(temporary)
  disk.write(temporary, 0, new TextEncoder().encode(text))
  disk.sync(temporary, ok => {
    if (!ok) return done(false)
    disk.rename(temporary, name)
    disk.syncNames(done)
  })
}

/** Undefined when it was never written. */
export function readText(disk: SimDisk, name: string): string | undefined {
  const bytes = disk.read(name)
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes)
}

export function simStateFiles(disk: SimDisk): StateFiles {
  /** Writes follow each other, for the temporary file has one writer. */
  let lastWrite: Promise<void> = Promise.resolve()

  function replace(name: string, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      replaceFile(disk, name, text, ok => {
        if (ok) resolve()
        else
          reject(new ConstellationError('STATE_UNWRITABLE', `cannot write ${name}`, { hint: 'the disk failed a sync' }))
      })
    })
  }

  return {
    read(name) {
      invariant(namePattern.test(name), `a state file's name is plain: ${name}`)
      return Promise.resolve(readText(disk, name))
    },
    write(name, text) {
      invariant(namePattern.test(name) && !name.endsWith('.tmp'), `a state file's name is plain: ${name}`)
      const write = lastWrite.catch(() => undefined).then(() => replace(name, text))
      lastWrite = write
      return write
    },
  }
}
