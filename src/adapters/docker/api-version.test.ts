import { expect, test } from 'vitest'
import { negotiate } from './api-version.ts'

test.each([
  { theirs: '1.41', spoken: '1.41', why: 'Debian 12 stops there' },
  { theirs: '1.9', spoken: '1.9', why: 'nine is less than fifty-two, as text it is not' },
  { theirs: '1.52', spoken: '1.52', why: 'equal' },
  { theirs: '1.60', spoken: '1.52', why: 'fields newer than we know are not asked for' },
  { theirs: '2.0', spoken: '1.52', why: 'the major number decides' },
])('an engine of $theirs is spoken to in $spoken: $why', ({ theirs, spoken }) => {
  expect(negotiate(theirs)).toBe(spoken)
})
