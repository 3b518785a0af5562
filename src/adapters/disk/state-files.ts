/**
 * Small files of the agent in one directory. A write either happened whole or not at all, also when the power goes: the
 * text is on the disk before the name points at it. One agent uses a data directory at a time: data-dir-lock.ts.
 */
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ConstellationError } from '../../kernel/errors.ts'
import { invariant } from '../../kernel/invariant.ts'
import type { StateFiles } from '../../ports/state-files.ts'

const namePattern = /^[A-Za-z0-9][\w.-]{0,99}$/

export function diskStateFiles(directory: string): StateFiles {
  /** Writes of one name follow each other, so that the last call wins and the temporary file has one writer. */
  const lastWrite = new Map<string, Promise<void>>()

  async function replace(name: string, text: string): Promise<void> {
    const target = join(directory, name)
    // A fixed name: what a crash left behind is overwritten by the next write instead of piling up.
    const temporary = `${target}.tmp`
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      await writeDurably(temporary, text)
      await rename(temporary, target)
      await syncDirectory(directory)
    } catch (cause) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw unwritable(target, cause)
    }
  }

  return {
    async read(name) {
      invariant(namePattern.test(name), `a state file's name is plain: ${name}`)
      const target = join(directory, name)
      try {
        return await readFile(target, 'utf8')
      } catch (cause) {
        if (codeOf(cause) === 'ENOENT') return undefined
        const hint = 'see that the user of the agent may read it, and that the disk is sound'
        throw new ConstellationError('STATE_UNREADABLE', `cannot read ${target}`, { cause, hint })
      }
    },
    write(name, text) {
      invariant(namePattern.test(name) && !name.endsWith('.tmp'), `a state file's name is plain: ${name}`)
      const earlier = lastWrite.get(name) ?? Promise.resolve()
      const write = earlier.catch(() => undefined).then(() => replace(name, text))
      lastWrite.set(name, write)
      return write
    },
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  // A left-over of another mode keeps its mode when it is opened again.
  await chmod(file, 0o600)
}

/** Without this the new name may be lost although the text is there. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export function unwritable(target: string, cause: unknown): ConstellationError {
  const hint = isDiskFull(cause)
    ? 'the disk is full: make room'
    : 'see that the user of the agent may write there, or set another data directory'
  return new ConstellationError('STATE_UNWRITABLE', `cannot write ${target}`, { cause, hint })
}

export function isDiskFull(cause: unknown): boolean {
  const code = codeOf(cause)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** The system's name of an error, `ENOENT`. */
export function codeOf(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}
