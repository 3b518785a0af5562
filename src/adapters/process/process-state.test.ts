import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readWorkloads, writeWorkloads } from './process-state.ts'

let directory = ''

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'constellation-workloads-'))
})

afterEach(() => rmSync(directory, { recursive: true }))

test('what is written is read back, and nothing was recorded before the first time', () => {
  const record = { name: 'web', id: 'a', specHash: 'h', process: null, health: 'starting' as const }
  expect(readWorkloads(directory)).toEqual([])
  writeWorkloads(directory, [record])
  expect(readWorkloads(directory)).toEqual([record])
})

test('a disk that takes nothing is no bug of ours: the file is named, and what to do', () => {
  const file = join(directory, 'in-the-way')
  writeFileSync(file, '')
  expect(() => writeWorkloads(file, [])).toThrow(
    expect.objectContaining({
      code: 'STATE_UNWRITABLE',
      message: `cannot write ${join(file, 'processes', 'state.json')}`,
      hint: expect.stringContaining('not full'),
    }),
  )
})
