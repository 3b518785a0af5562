/** What the command line does when nobody takes what it says: a closed pipe and a full disk. Needs `npm run build`. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const mainFile = fileURLToPath(new URL('../../dist/app/main.js', import.meta.url))

/** `rest`: what the shell does with its standard output. */
function configShow(rest: string): { readonly status: number | null; readonly stderr: string } {
  const script = `set -o pipefail; "$0" "$1" config show --json ${rest}`
  const env = { PATH: process.env['PATH'], HOME: '/nonexistent' }
  return spawnSync('bash', ['-c', script, process.execPath, mainFile], { encoding: 'utf8', env, cwd: '/' })
}

test('a reader that has seen enough ends the command without a word', () => {
  expect(configShow('| true')).toMatchObject({ status: 1, stderr: '' })
})

test('a full disk is said in one line', () => {
  const { status, stderr } = configShow('> /dev/full')
  expect(status).toBe(1)
  expect(stderr).toMatch(/^constellation: cannot write to standard output: ENOSPC.*\n$/)
})
