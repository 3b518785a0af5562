/** GET /health: for load balancers and service managers. About this agent, not about the services it watches. */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Facade } from '../../../controllers/facade.ts'
import { ProblemError } from '../problem.ts'
import { health } from '../schema.ts'
import { problemResponse, refuseOtherMethods, unauthorised } from './read-route.ts'

export function addHealthRoute(app: FastifyInstance, facade: Facade): void {
  const schema = {
    operationId: 'getHealth',
    summary: 'Whether this agent can do its work',
    response: { 200: health, ...unauthorised, 503: problemResponse('It cannot, for these reasons') },
  }
  app.withTypeProvider<ZodTypeProvider>().get('/health', { schema }, () => {
    const { ok, reasons } = facade.health()
    if (!ok) throw new ProblemError({ status: 503, code: 'NOT_READY', detail: reasons.join('; '), reasons })
    return { status: 'ok' } as const
  })
  refuseOtherMethods(app, '/health')
}
