import { chmod, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readOrMakeToken, readToken } from './token-file.ts'

let directory = ''
let file = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'constellation-token-'))
  file = join(directory, 'secrets', 'api-token.txt')
})

afterEach(() => rm(directory, { recursive: true }))

test('the first start makes a token that only the owner can read, later starts keep it', async () => {
  const token = await readOrMakeToken(file)
  expect(token).toMatch(/^[\w-]{43}$/)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readOrMakeToken(file)).toBe(token)
})

test('agents that start at once agree on one token and leave nothing behind', async () => {
  const tokens = await Promise.all(Array.from({ length: 8 }, () => readOrMakeToken(file)))
  expect(new Set(tokens).size).toBe(1)
  expect(await readdir(join(directory, 'secrets'))).toEqual(['api-token.txt'])
})

test.each([0o640, 0o604, 0o660])('a file with mode %o is refused with the remedy', async mode => {
  await readOrMakeToken(file)
  await chmod(file, mode)
  await expect(readOrMakeToken(file)).rejects.toMatchObject({
    code: 'TOKEN_READABLE_BY_OTHERS',
    hint: expect.stringContaining(`chmod 600 ${file}`),
  })
})

test.each(['', 'short', 'two words and more of them'])('%j is no token', async text => {
  await readOrMakeToken(file)
  await writeFile(file, text)
  await expect(readToken(file)).rejects.toMatchObject({ code: 'TOKEN_MALFORMED' })
})

test('a client is not told to remove the file: nobody would make it a new one', async () => {
  await readOrMakeToken(file)
  await writeFile(file, 'short')
  await expect(readToken(file)).rejects.toMatchObject({ hint: expect.stringContaining('copy the API token') })
  await expect(readOrMakeToken(file)).rejects.toMatchObject({ hint: expect.stringContaining('a new one is made') })
  await chmod(file, 0o644)
  await expect(readToken(file)).rejects.toMatchObject({ hint: expect.not.stringContaining('remove') })
})

test('reading alone never makes a file', async () => {
  await expect(readToken(file)).rejects.toMatchObject({ code: 'TOKEN_ABSENT' })
  expect(await readdir(directory)).toEqual([])
})

test('a place where nothing can be written is named with its cause', async () => {
  await symlink(join(directory, 'unmounted', 'disk'), join(directory, 'secrets'))
  await expect(readOrMakeToken(file)).rejects.toMatchObject({
    code: 'TOKEN_UNWRITABLE',
    hint: expect.stringContaining('paths.secretsPath'),
  })
})

test('a file where the directory should be is an error, not an absent token', async () => {
  await writeFile(join(directory, 'secrets'), '')
  await expect(readOrMakeToken(file)).rejects.toMatchObject({ code: 'TOKEN_UNREADABLE' })
})
