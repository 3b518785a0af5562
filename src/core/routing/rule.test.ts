import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalRule, hostsOf, parseRule } from './rule.ts'

test.each([
  ['Host(`web.example.org`)', ['web.example.org']],
  ['Host("Web.Example.org")', ['web.example.org']],
  ['host(`a.example.org`) || HOST(`b.example.org`)', ['a.example.org', 'b.example.org']],
  ['Host(`b.example.org`) && PathPrefix(`/api`)', ['b.example.org']],
  ['(Host(`a`) || Host(`b`)) && Method(`GET`) && Query(`q`)', ['a', 'b']],
  ['Host(`a`) && (Host(`a`) || Host(`b`))', ['a']],
  ['PathPrefix(`/`)', []],
  ['Host(`a`) || PathPrefix(`/x`)', []],
  ['!Host(`a`)', []],
  ['!(!Host(`a`))', ['a']],
  ['!(!Host(`a`) || !Path(`/x`))', ['a']],
  ['Host(`a`) && !Header(`X-Debug`, `1`)', ['a']],
  ['HostRegexp(`^[a-z]+\\.example\\.org$`)', []],
  ['Host(`a`) ||\n  Host(`b`)\n', ['a', 'b']],
  ['ClientIP(`10.0.0.0/8`) && Host(`a`)', ['a']],
  ['Pathprefix(`/x`) && Headerregexp(`A`, `.*`) && Queryregexp(`q`, `.`) && PathRegexp(`x`)', []],
])('the rule %s is bound to %j', (text, hosts) => {
  const rule = parseRule(text)
  expect(rule).toMatchObject({ ok: true })
  expect(rule.ok && hostsOf(rule.value)).toEqual(hosts)
})

test('the rule of a default route is judged as any other: a blank in front takes the long way', () => {
  const host = fc.oneof(
    fc.domain(),
    fc.string({ maxLength: 8 }),
    fc.constantFrom('a'.repeat(255), 'a'.repeat(256), '::1'),
  )
  fc.assert(
    fc.property(host, text => {
      const [short, long] = [parseRule(`Host(\`${text}\`)`), parseRule(` Host(\`${text}\`)`)]
      expect(short.ok).toBe(long.ok)
      if (short.ok) expect(short).toEqual(long)
    }),
  )
})

test('&& binds tighter than ||, as Go has it', () => {
  const rule = parseRule('Host(`a`) || Host(`b`) && Path(`/x`)')
  expect(rule.ok && canonicalRule(rule.value)).toBe('(Host("a") || (Host("b") && Path("/x")))')
})

test.each([
  ['', 'expected a matcher, found the end'],
  ['Host(`a`', 'expected , or ), found the end'],
  ['Host(`a', 'a ` is not closed'],
  ['Host("a', 'a " is not closed'],
  ['Host(`a`) Host(`b`)', 'unexpected Host after a whole rule'],
  ['Host(`a`) &&', 'expected a matcher, found the end'],
  ['Host()', 'expected a quoted value, found )'],
  ['Host(a)', 'expected a quoted value, found a'],
  ['Host(`a`, `b`)', 'join several with ||'],
  ['Header(`a`)', 'Header takes 2 values, not 1'],
  ['Query(`a`, `b`, `c`)', 'Query takes 1 or 2 values, not 3'],
  ['Hosts(`a`)', 'no matcher is called Hosts'],
  ['hOsT(`a`)', 'no matcher is called hOsT'],
  ['HostSNI(`*`)', 'no matcher is called HostSNI'],
  ['Host(`*.example.org`)', 'HostRegexp'],
  ['Host(`bücher.example`)', 'no host name'],
  ['Host(``)', 'no host name'],
  ['Path(`x`)', 'does not start with /'],
  ['ClientIP(`everybody`)', 'no address or range'],
  ['Host(`a`) & Path(`/`)', 'unexpected "&"'],
  ['Host(`a`)\n&& Path(`/`)', 'a line may break after an operator only'],
  ['Path(`/a\u0000b`)', 'cannot be printed'],
  ['Path(`/a\u2028b`)', 'cannot be printed'],
  ['Path("/\\d")', 'use ` instead'],
  ['('.repeat(40) + 'Host(`a`)' + ')'.repeat(40), 'nested deeper than 32'],
  ['!'.repeat(1000) + 'Host(`a`)', 'nested deeper than 32'],
  [`Path(\`/${'x'.repeat(1024)}\`)`, 'longer than 1024 characters'],
])('the rule %j is refused: %s', (text, reason) => {
  const rule = parseRule(text)
  expect(rule.ok).toBe(false)
  expect(!rule.ok && rule.error.message).toContain(reason)
})

test('rules that say the same have the same canonical form', () => {
  const forms = ['Host(`A`)&&Path(`/x`)', ' ( host("a") && ( PATH(`/x`) ) ) '].map(text => {
    const rule = parseRule(text)
    return rule.ok && canonicalRule(rule.value)
  })
  expect(forms[0]).toBe('(Host("a") && Path("/x"))')
  expect(forms[1]).toBe(forms[0])
})

test('any text gets an answer, and what is accepted reads back the same from its canonical form', () => {
  const piece = fc.constantFrom(
    'Host(`a`)',
    'Path(`/`)',
    '&&',
    '||',
    '!',
    '(',
    ')',
    ' ',
    '"x"',
    '`',
    ',',
    '\n',
    'Header',
  )
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 30 }).map(pieces => pieces.join('')),
  )
  fc.assert(
    fc.property(text, candidate => {
      const rule = parseRule(candidate)
      if (!rule.ok) return rule.error.message !== ''
      const canonical = canonicalRule(rule.value)
      const again = parseRule(canonical)
      return again.ok && canonicalRule(again.value) === canonical
    }),
    { numRuns: 500 },
  )
})
