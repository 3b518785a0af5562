import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { age, createPaint, plain, stateWord, table } from './text.ts'

test.each([
  [0, '0s'],
  [-5_000, '0s'],
  [59_400, '59s'],
  [60_000, '1m'],
  [7_500_000, '2h 5m'],
  [90_000_000, '1d 1h'],
  [86_401_000, '1d'],
])('%d ms are %s', (durationMs, text) => {
  expect(age(durationMs)).toBe(text)
})

test.each([
  ['shop-web-1', 'shop-web-1'],
  ['a\u001B[31mb', 'a?[31mb'],
  ['a\r\nb', 'a??b'],
  ['right\u202Eleft', 'right?left'],
  ['größe', 'größe'],
])('%j is printed as %s', (text, shown) => {
  expect(plain(text)).toBe(shown)
})

test('columns line up whatever the colours, and no line ends in blanks', () => {
  const rows = (paint: ReturnType<typeof createPaint>) =>
    table(
      ['NAME', 'STATE'],
      [
        ['a', stateWord('healthy', paint)],
        ['longer', stateWord('down', paint)],
      ],
      paint,
    )
  expect(rows(createPaint(false))).toBe('NAME    STATE\na       healthy\nlonger  down')
  const coloured = stripVTControlCharacters(rows(createPaint(true))).split('\n')
  expect(coloured.map(line => line.trimEnd())).toEqual(['NAME    STATE', 'a       healthy', 'longer  down'])
})
