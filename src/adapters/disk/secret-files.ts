/**
 * Files with secrets in them, in one directory: written like any other small file of the agent (mode 0600, all or nothing),
 * and read only while nobody but their owner can. A secret that was readable must be taken for known.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ConstellationError } from '../../kernel/errors.ts'
import type { StateFiles } from '../../ports/state-files.ts'
import { codeOf, diskStateFiles } from './state-files.ts'

const readableByOthers = 0o077

/** `read` rejects with `SECRET_READABLE_BY_OTHERS` as well. */
export function diskSecretFiles(directory: string): StateFiles {
  const files = diskStateFiles(directory)
  return {
    async read(name) {
      const file = join(directory, name)
      if (await isExposed(file))
        throw new ConstellationError('SECRET_READABLE_BY_OTHERS', `${file} can be read by others than its owner`, {
          hint: `chmod 600 ${file}, and change what is in it if somebody may have read it`,
        })
      return files.read(name)
    },
    write: (name, text) => files.write(name, text),
  }
}

/** Whether it can be read at all, reading tells. */
async function isExposed(file: string): Promise<boolean> {
  try {
    return ((await stat(file)).mode & readableByOthers) !== 0
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return false
  }
}
