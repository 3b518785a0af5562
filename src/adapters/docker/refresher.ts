/**
 * Looks at containers again, at most `limit` at once and never twice at once at the same one, so that an older answer cannot
 * overwrite a newer one. A burst of requests for one container becomes at most one look now and one afterwards.
 */
export interface Refresher {
  /** Settles with a look that began after this call. */
  refresh(id: string): Promise<void>
}

interface Ticket {
  readonly done: Promise<void>
  readonly settle: (look: Promise<void>) => void
}

export function createRefresher(limit: number, look: (id: string) => Promise<void>): Refresher {
  // Maps keep the order of insertion: first asked, first served.
  const waiting = new Map<string, Ticket>()
  const running = new Set<string>()

  function serve(): void {
    for (const [id, ticket] of waiting) {
      if (running.size >= limit) return
      if (running.has(id)) continue
      waiting.delete(id)
      running.add(id)
      const looked = look(id).finally(() => {
        running.delete(id)
        serve()
      })
      ticket.settle(looked)
    }
  }

  return {
    refresh(id) {
      const ticket = waiting.get(id) ?? newTicket()
      waiting.set(id, ticket)
      serve()
      return ticket.done
    },
  }
}

function newTicket(): Ticket {
  let settle: Ticket['settle'] = () => undefined
  const done = new Promise<void>(resolve => {
    settle = resolve
  })
  return { done, settle }
}
