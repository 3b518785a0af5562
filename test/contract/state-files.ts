/** What every implementation of ports/state-files.ts keeps. */
import { describe, expect, test } from 'vitest'
import type { StateFiles } from '../../src/ports/state-files.ts'

export function stateFilesContract(name: string, open: () => Promise<StateFiles>): void {
  describe(`state files: ${name}`, () => {
    test('what was never written is absent', async () => {
      const files = await open()
      expect(await files.read('epoch.json')).toBeUndefined()
    })

    test('what was written last is read, whole, whatever its length', async () => {
      const files = await open()
      const long = 'ä€𝄞'.repeat(50_000)
      await files.write('peers.json', long)
      expect(await files.read('peers.json')).toBe(long)
      await files.write('peers.json', '')
      expect(await files.read('peers.json')).toBe('')
    })

    test('names are apart from each other', async () => {
      const files = await open()
      await files.write('a', '1')
      await files.write('b', '2')
      expect([await files.read('a'), await files.read('b')]).toEqual(['1', '2'])
    })

    test('of writes that are not waited for the last one stays', async () => {
      const files = await open()
      await Promise.all(Array.from({ length: 20 }, (_, i) => files.write('epoch.json', String(i))))
      expect(await files.read('epoch.json')).toBe('19')
    })

    test.each(['', '../escape', 'a/b', '.hidden', 'x'.repeat(101), 'nul\0'])('%j is no name', async bad => {
      const files = await open()
      await expect((async () => files.read(bad))()).rejects.toThrow(/plain/)
      await expect((async () => files.write(bad, ''))()).rejects.toThrow(/plain/)
    })
  })
}
