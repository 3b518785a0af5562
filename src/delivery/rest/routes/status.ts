/** GET /api/v1/status: this agent and its cluster in numbers. */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Facade } from '../../../controllers/facade.ts'
import { status } from '../schema.ts'
import { refuseOtherMethods, unauthorised } from './read-route.ts'

const url = '/api/v1/status'

export function addStatusRoute(app: FastifyInstance, facade: Facade): void {
  const schema = {
    operationId: 'getStatus',
    summary: 'This agent and its cluster in numbers',
    response: { 200: status, ...unauthorised },
  }
  app.withTypeProvider<ZodTypeProvider>().get(url, { schema }, () => facade.status())
  refuseOtherMethods(app, url)
}
