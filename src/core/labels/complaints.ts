/**
 * Sentences about labels that could not be honoured. Labels are text from outside: what is quoted is clipped, and the
 * number of sentences is limited, because complaints travel in gossip.
 */

export type Complain = (sentence: string) => void

const complaintsMax = 16
const quotedLengthMax = 60

export function complaintList(): { readonly complain: Complain; readonly complaints: readonly string[] } {
  const complaints: string[] = []
  return {
    complaints,
    complain(sentence) {
      if (complaints.length < complaintsMax && !complaints.includes(sentence)) complaints.push(sentence)
    },
  }
}

/** As JSON text, so that control characters cannot reach a terminal; clipped with an ellipsis. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= quotedLengthMax ? text : `${text.slice(0, quotedLengthMax)}…`)
}
