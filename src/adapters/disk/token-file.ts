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
    return await readToken(file)
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
  return readToken(file)
}

/** Rejects with `TOKEN_ABSENT`, `TOKEN_READABLE_BY_OTHERS`, `TOKEN_UNREADABLE` or `TOKEN_MALFORMED`. */
export async function readToken(file: string): Promise<string> {
  const text = await readPrivately(file)
  const token = text.trim()
  if (!tokenPattern.test(token)) {
    throw new ConstellationError('TOKEN_MALFORMED', `${file} does not hold a bearer token`, {
      hint: 'it must be one line of 16 to 512 letters, digits and -._~+/; remove the file and a new one is made',
    })
  }
  return token
}

async function readPrivately(file: string): Promise<string> {
  try {
    const { mode } = await stat(file)
    if ((mode & readableByOthers) === 0) return await readFile(file, 'utf8')
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    if (absent) throw new ConstellationError('TOKEN_ABSENT', `there is no API token at ${file}`, { cause })
    throw new ConstellationError('TOKEN_UNREADABLE', `cannot read the API token ${file}`, {
      cause,
      hint: 'run as the user of the agent, or as root',
    })
  }
  throw new ConstellationError('TOKEN_READABLE_BY_OTHERS', `${file} can be read by others than its owner`, {
    hint: `chmod 600 ${file}, and remove it first if somebody may have read it: a new one is made at the next start`,
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
