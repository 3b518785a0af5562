/** GET /api/v1/gossip, its /members, and /trace/{key}: who gossip knows, how it does, and where a change has been here. */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { TraceAnswer } from '../../../controllers/gossip-answers.ts'
import type { Facade } from '../../../controllers/facade.ts'
import type { WalkLookup } from '../../../controllers/walk-name.ts'
import { ProblemError } from '../problem.ts'
import { gossip, gossipMembers, trace, traceParams } from '../schema.ts'
import { problemResponse, refuseOtherMethods, unauthorised } from './read-route.ts'

const gossipUrl = '/api/v1/gossip'
const membersUrl = '/api/v1/gossip/members'
const traceUrl = '/api/v1/gossip/trace/:key'

export function addGossipRoutes(app: FastifyInstance, facade: Facade): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const about = {
    operationId: 'getGossip',
    summary: 'How gossip does on this node',
    response: { 200: gossip, ...unauthorised },
  }
  typed.get(gossipUrl, { schema: about }, () => facade.gossip())

  const members = {
    operationId: 'listGossipMembers',
    summary: 'Every member gossip knows here, foreign and departed ones too',
    response: { 200: gossipMembers, ...unauthorised },
  }
  typed.get(membersUrl, { schema: members }, () => facade.gossipMembers())

  const walk = {
    operationId: 'getTrace',
    summary: 'Where a change has been on this node, and when; without #revision the newest of that instance',
    params: traceParams,
    response: {
      200: trace,
      400: problemResponse('No possible key'),
      ...unauthorised,
      404: problemResponse('This node holds no such walk, or several; reasons lists what it holds'),
    },
  }
  typed.get(traceUrl, { schema: walk }, request => {
    const found = facade.trace(request.params.key)
    if (found.kind === 'found') return found.walk
    throw missing(request.params.key, found, facade.gossip().node)
  })
  for (const url of [gossipUrl, membersUrl, traceUrl]) refuseOtherMethods(app, url)
}

/** Which walks there are is in `reasons`. */
function missing(
  asked: string,
  found: Exclude<WalkLookup<TraceAnswer>, { readonly kind: 'found' }>,
  node: string,
): ProblemError {
  if (found.kind === 'ambiguous') {
    const detail = `several services may be meant by "${asked}"; ask for one of these`
    return new ProblemError({ status: 404, code: 'TRACE_AMBIGUOUS', detail, reasons: found.keys })
  }
  const held = found.known.length === 0 ? 'no change has been here yet' : 'it holds these, the newest first'
  const detail = `${node} holds no walk "${asked}" (service@node#revision); ${held}`
  return new ProblemError({ status: 404, code: 'TRACE_UNKNOWN', detail, reasons: found.known })
}
