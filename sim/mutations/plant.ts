/**
 * Plants a bug: copies the product and the simulator into a folder of its own and changes the one place. The copy lies
 * inside the project, so that it finds the same packages.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'build', 'mutants')

/** Undefined, or why the bug cannot be planted in today's source. */
export function misfit({ file, find, replace }: Mutant, source: string = readSource(file)): string | undefined {
  const places = source.split(find).length - 1
  if (places !== 1) return `${file} holds the text ${places} times instead of once: ${JSON.stringify(find)}`
  return find === replace ? `${file}: nothing is changed` : undefined
}

/** Returns the folder of the copy; its `sim/main.ts` is the simulator with the bug. */
export function plant(mutant: Mutant): string {
  const fault = misfit(mutant)
  if (fault !== undefined) throw new Error(`the bug "${mutant.name}" no longer applies: ${fault}`)
  const copy = join(folder, mutant.name)
  rmSync(copy, { recursive: true, force: true })
  mkdirSync(copy, { recursive: true })
  for (const part of ['src', 'sim'])
    cpSync(join(root, part), join(copy, part), { recursive: true, filter: path => !path.endsWith('.test.ts') })
  const source = readSource(mutant.file)
  writeFileSync(
    join(copy, 'src', mutant.file),
    source.replace(mutant.find, () => mutant.replace),
  )
  return copy
}

export function uproot({ name }: Mutant): void {
  rmSync(join(folder, name), { recursive: true, force: true })
}

function readSource(file: string): string {
  return readFileSync(join(root, 'src', file), 'utf8')
}
