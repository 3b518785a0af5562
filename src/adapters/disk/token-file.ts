/**
 * The bearer token of the REST API: one line in a file that only its owner may read. Made at the first start; a file that
 * others can read is refused, because a token that was readable must be taken for known.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConstellationError } from '../../kernel/errors.ts'

const tokenBytes = 32
const readableByOthers = 0o077
/** RFC 6750's token68: what may follow `Bearer `. */
const tokenPattern = /^[\w.~+/-]{16,512}=*$/

/** The token in `file`; makes the file when there is none. Rejects with the codes of `readToken`, or `TOKEN_UNWRITABLE`. */
export async function readOrMakeToken(file: string): Promise<string> {
  try {
    return await read(file, ownHints)
  } catch (error) {
    if (!(error instanceof ConstellationError) || error.code !== 'TOKEN_ABSENT') throw error
  }
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await makeOnce(file, randomBytes(tokenBytes).toString('base64url'))
  } catch (cause) {
    throw new ConstellationError('TOKEN_UNWRITABLE', `cannot make the API token ${file}`, {
      cause,
      hint: 'the agent must be able to write there, or set paths.secretsPath',
    })
  }
  return read(file, ownHints)
}

/** What to do about a bad file depends on whose it is. */
interface Hints {
  readonly malformed: string
  readonly unreadable: string
  readonly exposed: string
}

const ownHints: Hints = {
  malformed: 'remove the file and a new one is made',
  unreadable: 'run as the user of the agent, or as root',
  exposed: 'and remove it first if somebody may have read it: a new one is made at the next start',
}

const copyHints: Hints = {
  malformed: 'copy the API token of the node you ask into it',
  unreadable: 'run as the owner of the file, or make a copy of your own',
  exposed: 'and if somebody may have read it, have the node make another token',
}

/** For clients. Rejects with `TOKEN_ABSENT`, `TOKEN_READABLE_BY_OTHERS`, `TOKEN_UNREADABLE` or `TOKEN_MALFORMED`. */
export function readToken(file: string): Promise<string> {
  return read(file, copyHints)
}

async function read(file: string, hints: Hints): Promise<string> {
  const text = await readPrivately(file, hints)
  const token = text.trim()
  if (!tokenPattern.test(token)) {
    throw new ConstellationError('TOKEN_MALFORMED', `${file} does not hold a bearer token`, {
      hint: `it must be one line of 16 to 512 letters, digits and -._~+/; ${hints.malformed}`,
    })
  }
  return token
}

async function readPrivately(file: string, hints: Hints): Promise<string> {
  try {
    const { mode } = await stat(file)
    if ((mode & readableByOthers) === 0) return await readFile(file, 'utf8')
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    if (absent) throw new ConstellationError('TOKEN_ABSENT', `there is no API token at ${file}`, { cause })
    throw new ConstellationError('TOKEN_UNREADABLE', `cannot read the API token ${file}`, {
      cause,
      hint: hints.unreadable,
    })
  }
  throw new ConstellationError('TOKEN_READABLE_BY_OTHERS', `${file} can be read by others than its owner`, {
    hint: `chmod 600 ${file}, ${hints.exposed}`,
  })
}

/** Two agents that start at once must end up with one token: linking fails when the other was first. */
async function makeOnce(file: string, token: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(`${token}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(temporary, file).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  } finally {
    await rm(temporary, { force: true })
  }
}
