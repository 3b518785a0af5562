/** GET /api/v1/nodes and /api/v1/nodes/{node}: who is there, what each says about itself, what runs on it. */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Facade } from '../../../controllers/facade.ts'
import { answerWithEtag } from '../etag.ts'
import { ProblemError } from '../problem.ts'
import { nodeDetail, nodeParams, nodes } from '../schema.ts'
import { problemResponse, refuseOtherMethods, unauthorised } from './read-route.ts'

const listUrl = '/api/v1/nodes'
const oneUrl = '/api/v1/nodes/:node'

export function addNodeRoutes(app: FastifyInstance, facade: Facade): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const list = {
    operationId: 'listNodes',
    summary: 'Every node this one knows',
    response: { 200: nodes, ...unauthorised },
  }
  typed.get(listUrl, { schema: list, onSend: answerWithEtag }, () => facade.nodes())

  const one = {
    operationId: 'getNode',
    summary: 'One node and what runs on it',
    params: nodeParams,
    response: {
      200: nodeDetail,
      400: problemResponse('No possible name'),
      ...unauthorised,
      404: problemResponse('No such node is known here'),
    },
  }
  typed.get(oneUrl, { schema: one, onSend: answerWithEtag }, request => {
    const { node } = request.params
    const found = facade.node(node)
    if (found !== undefined) return found
    const detail = `no node "${node}" is known here; ${listUrl} lists those that are`
    throw new ProblemError({ status: 404, code: 'NODE_UNKNOWN', detail })
  })
  refuseOtherMethods(app, listUrl)
  refuseOtherMethods(app, oneUrl)
}
