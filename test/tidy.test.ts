/**
 * Reads the repository and holds its house rules: who may import whom, and what the pure layers may not touch.
 * A message names the place and what to use instead.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Layer -> layers it may import. Tests are exempt, everything else is not. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  core: ['kernel'],
  ports: ['kernel', 'core'],
  adapters: ['kernel', 'core', 'ports'],
  controllers: ['kernel', 'core', 'ports'],
  delivery: ['kernel', 'core', 'ports', 'controllers'],
  app: ['kernel', 'core', 'ports', 'adapters', 'controllers', 'delivery'],
  testing: ['kernel', 'core', 'ports', 'controllers'],
}

/** Core folder -> siblings it may import, through their `index.ts` only. */
const coreMayImport: Readonly<Record<string, readonly string[]>> = {
  membership: [],
  registry: ['membership'],
  cluster: ['membership', 'registry'],
  reachability: ['registry', 'membership'],
  health: ['registry', 'labels'],
  routing: ['registry'],
  labels: ['registry', 'routing'],
  proxy: ['registry', 'routing'],
}

interface Ban {
  readonly pattern: RegExp
  readonly layers: readonly string[]
  readonly instead: string
}

const bans: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b/,
    layers: ['kernel', 'core', 'controllers', 'delivery'],
    instead: 'take `now` from the input, or ports/clock.ts',
  },
  {
    pattern: /\bnew Date\(\)/,
    layers: ['kernel', 'core', 'controllers', 'delivery'],
    instead: 'take `now` from the input, or ports/clock.ts',
  },
  { pattern: /\bnew Date\b/, layers: ['kernel', 'core'], instead: 'keep numbers; format at the edge' },
  { pattern: /\bperformance\.now\b/, layers: ['kernel', 'core', 'controllers', 'delivery'], instead: 'ports/clock.ts' },
  {
    pattern: /\bMath\.random\b/,
    layers: ['kernel', 'core', 'controllers', 'delivery', 'adapters'],
    instead: 'kernel/prng.ts with an injected seed',
  },
  {
    pattern: /\bset(Timeout|Interval|Immediate)\b/,
    layers: ['kernel', 'core', 'controllers'],
    instead: '`nextDeadline` of the machine, or clock.at',
  },
  {
    pattern: /\blocaleCompare\b/,
    layers: ['kernel', 'core', 'controllers', 'delivery'],
    instead: 'byText of kernel/units.ts (the same on every machine)',
  },
  {
    pattern: /\bprocess\.(env|exit|argv)\b/,
    layers: ['kernel', 'core', 'ports', 'controllers'],
    instead: 'app/ reads the process; pass the value in',
  },
  { pattern: /\bconsole\./, layers: ['kernel', 'core', 'ports', 'adapters', 'controllers'], instead: 'ports/log.ts' },
]

interface SourceFile {
  /** Relative to src/, with forward slashes. */
  readonly path: string
  readonly layer: string
  readonly code: string
}

function sourceFiles(): readonly SourceFile[] {
  const src = join(root, 'src')
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map(path => path.split(sep).join('/'))
    .sort()
    .map(path => ({
      path,
      layer: path.split('/')[0] ?? '',
      code: withoutComments(readFileSync(join(src, path), 'utf8')),
    }))
}

/** Good enough for prettier-formatted code: a comment marker inside a string only makes us look at less of that line. */
function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

function importsOf(file: SourceFile): readonly string[] {
  const specifiers = [...file.code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '')
  return specifiers
    .filter(specifier => specifier.startsWith('.'))
    .map(specifier => posix.normalize(posix.join(posix.dirname(file.path), specifier)))
}

const files = sourceFiles()

describe('layers', () => {
  test('every file lives in a known layer', () => {
    expect(files.length).toBeGreaterThan(20)
    expect(files.filter(file => mayImport[file.layer] === undefined).map(file => file.path)).toEqual([])
  })

  test('imports point inward only', () => {
    const breaches = files.flatMap(file =>
      importsOf(file)
        .filter(target => {
          const layer = target.split('/')[0] ?? ''
          return layer !== file.layer && !(mayImport[file.layer] ?? []).includes(layer)
        })
        .map(target => `${file.path} -> ${target}`),
    )
    expect(breaches).toEqual([])
  })

  test('core folders keep their line and use each other through index.ts', () => {
    const breaches = files
      .filter(file => file.layer === 'core')
      .flatMap(file => {
        const folder = file.path.split('/')[1] ?? ''
        return importsOf(file)
          .filter(target => target.startsWith('core/') && target.split('/')[1] !== folder)
          .filter(
            target =>
              !(coreMayImport[folder] ?? []).includes(target.split('/')[1] ?? '') || !target.endsWith('/index.ts'),
          )
          .map(target => `${file.path} -> ${target}`)
      })
    expect(breaches).toEqual([])
  })

  test('layers outside core enter a core folder through its index.ts', () => {
    const breaches = files
      .filter(file => file.layer !== 'core')
      .flatMap(file =>
        importsOf(file)
          .filter(target => target.startsWith('core/') && !/^core\/[^/]+\/index\.ts$/.test(target))
          .map(target => `${file.path} -> ${target}`),
      )
    expect(breaches).toEqual([])
  })

  test('kernel and core import no package', () => {
    const breaches = files
      .filter(file => file.layer === 'kernel' || file.layer === 'core')
      .flatMap(file =>
        [...file.code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'.][^']*)'/g)].map(
          match => `${file.path} -> ${match[1] ?? ''}`,
        ),
      )
    expect(breaches).toEqual([])
  })
})

test('nothing banned is used', () => {
  const uses = files.flatMap(file =>
    bans
      .filter(ban => ban.layers.includes(file.layer) && ban.pattern.test(file.code))
      .map(ban => `src/${file.path}: ${ban.pattern.source} is banned in ${file.layer}; instead: ${ban.instead}`),
  )
  expect(uses).toEqual([])
})

test('every file opens with what it is for', () => {
  const silent = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.endsWith('index.ts'))
    .filter(path => !/^(#!.*\n)?\s*\/\*\*/.test(readFileSync(join(root, 'src', path), 'utf8')))
  expect(silent.map(path => `${relative(root, join(root, 'src', path))} has no header comment`)).toEqual([])
})

test('no file of the product grew past 500 lines', () => {
  const long = files
    .map(file => ({ path: file.path, lines: readFileSync(join(root, 'src', file.path), 'utf8').split('\n').length }))
    .filter(file => file.lines > 500)
  expect(long).toEqual([])
})

describe('documents', () => {
  const documents = ['.', 'docs', 'docs/decisions'].flatMap(folder =>
    readdirSync(join(root, folder))
      .filter(name => name.endsWith('.md'))
      .map(name => posix.join(folder, name)),
  )

  test('every relative link leads somewhere', () => {
    const dead = documents.flatMap(path =>
      [...readFileSync(join(root, path), 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
        .map(match => posix.join(posix.dirname(path), match[1] ?? ''))
        .filter(target => !existsSync(join(root, target)))
        .map(target => `${path} -> ${target}`),
    )
    expect(dead).toEqual([])
  })

  test('every source file that ARCHITECTURE.md names exists', () => {
    const known = files.map(file => file.path)
    const named = [...readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').matchAll(/`([\w/.-]+\.ts)`/g)].map(
      match => match[1] ?? '',
    )
    expect(named.length).toBeGreaterThan(30)
    const exists = (name: string): boolean =>
      existsSync(join(root, name)) || known.some(path => path === name || path.endsWith(`/${name}`))
    expect(named.filter(name => !exists(name))).toEqual([])
  })
})
