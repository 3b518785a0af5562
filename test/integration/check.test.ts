/**
 * `npm run check` cannot be fooled: a copy of what is tracked passes its quick steps, and one planted fault after the
 * other makes the step that is there for it fail and name the file.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { requirePartner } from './partners.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const run = promisify(execFile)

async function trackedFiles(): Promise<readonly string[]> {
  const { stdout } = await run('git', ['ls-files', '-z'], { cwd: root, maxBuffer: 16 * 1024 * 1024 })
  // What is deleted here and not committed yet is still listed.
  return stdout.split('\0').filter(file => file !== '' && existsSync(join(root, file)))
}

const isCheckout = await requirePartner('a git checkout', async () => {
  await trackedFiles()
  return undefined
})

interface Outcome {
  readonly ok: boolean
  readonly output: string
}

describe.skipIf(!isCheckout)('a copy of the repository', () => {
  let copy = ''

  beforeAll(async () => {
    copy = await mkdtemp(join(tmpdir(), 'constellation-check-'))
    for (const file of await trackedFiles()) {
      await mkdir(dirname(join(copy, file)), { recursive: true })
      await cp(join(root, file), join(copy, file))
    }
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  })

  afterAll(() => rm(copy, { recursive: true, force: true }))

  async function outcomeOf(command: string, args: readonly string[]): Promise<Outcome> {
    // What the surrounding test run is told by its environment is not for a run inside it.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')))
    const options = { cwd: copy, env: { ...env, NO_COLOR: '1' }, maxBuffer: 16 * 1024 * 1024 }
    try {
      const { stdout, stderr } = await run(command, args, options)
      return { ok: true, output: stdout + stderr }
    } catch (error) {
      const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string } // what execFile rejects with
      return { ok: false, output: stdout + stderr }
    }
  }

  const steps = {
    tidy: () => outcomeOf('npx', ['vitest', 'run', '--project', 'tidy']),
    lint: () => outcomeOf('npm', ['run', '-s', 'lint']),
    types: () => outcomeOf('npm', ['run', '-s', 'types']),
  }

  test('passes every step, and `check` runs them all', async () => {
    const { scripts } = JSON.parse(await readFile(join(copy, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>
    }
    for (const step of ['npm run -s types', 'npm run -s lint', 'npm test']) expect(scripts['check']).toContain(step)
    expect(scripts['test']).toContain('--project tidy')
    for (const step of Object.values(steps)) {
      const { ok, output } = await step()
      expect(ok, output).toBe(true)
    }
  })

  test.each([
    {
      fault: 'a core file that imports an adapter',
      step: 'tidy',
      plant: { 'src/core/health/planted.ts': `import { nodeClock } from '../../adapters/node/clock.ts'\n` },
      said: 'core/health/planted.ts -> adapters/node/clock.ts',
    },
    {
      fault: 'a core file that enters a sibling past its index',
      step: 'tidy',
      plant: { 'src/core/routing/planted.ts': `import { mergeRecords } from '../registry/merge.ts'\n` },
      said: 'core/routing/planted.ts -> core/registry/merge.ts',
    },
    {
      fault: 'a core file that reads the clock',
      step: 'tidy',
      plant: { 'src/core/health/planted.ts': `export const now = () => Date.now()\n` },
      said: 'src/core/health/planted.ts',
    },
    {
      fault: 'a core file that uses Node',
      step: 'types',
      plant: { 'src/core/health/planted.ts': `export const pid = (): number => process.pid\n` },
      said: 'src/core/health/planted.ts',
    },
    {
      fault: 'a promise of a controller that nobody waits for',
      step: 'lint',
      plant: {
        'src/controllers/planted.ts': `async function work(): Promise<void> {}\nexport function start(): void {\n  work()\n}\n`,
      },
      said: 'src/controllers/planted.ts',
    },
    {
      fault: 'an any',
      step: 'lint',
      plant: { 'src/kernel/planted.ts': `export const anything = (value: any): string => String(value)\n` },
      said: 'src/kernel/planted.ts',
    },
    {
      fault: 'two core files that import each other',
      step: 'lint',
      plant: {
        'src/core/health/planted.ts': `import { b } from './planted-too.ts'\nexport const a = (): number => b() + 1\n`,
        'src/core/health/planted-too.ts': `import { a } from './planted.ts'\nexport const b = (): number => a() + 1\n`,
      },
      said: 'src/core/health/planted',
    },
  ] as const)('with $fault fails in $step, which names it', async ({ step, plant, said }) => {
    for (const [file, code] of Object.entries(plant)) await writeFile(join(copy, file), `/** Planted. */\n${code}`)
    try {
      const { ok, output } = await steps[step]()
      expect(ok).toBe(false)
      expect(output).toContain(said)
    } finally {
      for (const file of Object.keys(plant)) await rm(join(copy, file))
    }
  })
})
