import { chmod, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { diskSecretFiles } from './secret-files.ts'

let directory = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'constellation-secret-'))
})

afterEach(() => rm(directory, { recursive: true }))

test('what is written can be read back, by its owner alone', async () => {
  const files = diskSecretFiles(join(directory, 'secrets'))
  expect(await files.read('ring.json')).toBeUndefined()
  await files.write('ring.json', 'hidden')
  expect(await files.read('ring.json')).toBe('hidden')
  expect((await stat(join(directory, 'secrets', 'ring.json'))).mode & 0o777).toBe(0o600)
  expect((await stat(join(directory, 'secrets'))).mode & 0o777).toBe(0o700)
})

test.each([0o640, 0o604, 0o660, 0o644])('with mode %o it is refused with the remedy', async mode => {
  const files = diskSecretFiles(directory)
  await files.write('ring.json', 'hidden')
  await chmod(join(directory, 'ring.json'), mode)
  await expect(files.read('ring.json')).rejects.toMatchObject({
    code: 'SECRET_READABLE_BY_OTHERS',
    hint: expect.stringContaining(`chmod 600 ${join(directory, 'ring.json')}`),
  })
})
