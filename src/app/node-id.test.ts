import { expect, test } from 'vitest'
import { memoryStateFiles } from '../adapters/memory/state-files.ts'
import { readOrMakeNodeId } from './node-id.ts'

const [first, second] = ['a1'.repeat(16), 'b2'.repeat(16)]

test('a node id is made once and kept', async () => {
  const files = memoryStateFiles()
  expect(await readOrMakeNodeId(files, undefined, () => first)).toBe(first)
  expect(await readOrMakeNodeId(files, undefined, () => second)).toBe(first)
})

test('a configured id wins over the kept one and replaces it', async () => {
  const files = memoryStateFiles()
  await readOrMakeNodeId(files, undefined, () => first)
  expect(await readOrMakeNodeId(files, second, () => first)).toBe(second)
  expect(await readOrMakeNodeId(files, undefined, () => first)).toBe(second)
})

test('a damaged file is refused, not replaced: the node would become another one', async () => {
  const files = memoryStateFiles()
  await files.write('node-id', 'half a')
  await expect(readOrMakeNodeId(files, undefined, () => first)).rejects.toThrow('not a node id: "half a"')
})
