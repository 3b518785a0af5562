/** Puts a schema's verdict into words: which setting, where, what was wanted and what was found. */
import type { z } from 'zod'
import type { Complaint } from './complaint.ts'
import type { Claim } from './sources.ts'

type Issue = z.core.$ZodIssue

export function complaintsAbout(claim: Claim, issues: readonly Issue[]): readonly Complaint[] {
  return issues.map(issue => {
    const part = issue.path.filter(key => typeof key !== 'symbol')
    const where = claim.positionOf(part)
    if (part.length === 0 && issue.code !== 'unrecognized_keys')
      return { where, what: `${claim.leaf.path} must be ${claim.leaf.field.expects}, not ${shown(claim)}` }
    return { where, what: `${nameOf(claim.leaf.path, part)}: ${wordsOf(issue)}` }
  })
}

function nameOf(path: string, part: readonly (string | number)[]): string {
  return part.reduce<string>((name, key) => (typeof key === 'number' ? `${name}[${key}]` : `${name}.${key}`), path)
}

/** Enough to recognise it; a secret is never repeated. */
function shown(claim: Claim): string {
  if (claim.leaf.field.secret === true) return 'what was given (not shown, it is a secret)'
  const text = JSON.stringify(claim.raw) ?? String(claim.raw)
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`
}

function wordsOf(issue: Issue): string {
  if (issue.code === 'unrecognized_keys')
    return `there is no setting ${issue.keys.map(key => JSON.stringify(key)).join(', ')} here`
  return issue.message.replace(/^Invalid input: /, '')
}
