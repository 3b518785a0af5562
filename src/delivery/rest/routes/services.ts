/** GET /api/v1/services and /api/v1/services/{service}: every service, its instances, and why each gets traffic or not. */
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { ServiceLookup } from '../../../controllers/answers.ts'
import type { Facade } from '../../../controllers/facade.ts'
import { answerWithEtag } from '../etag.ts'
import { ProblemError } from '../problem.ts'
import { service, serviceParams, services } from '../schema.ts'
import { problemResponse, refuseOtherMethods, unauthorised } from './read-route.ts'

const listUrl = '/api/v1/services'
const oneUrl = '/api/v1/services/:service'

export function addServiceRoutes(app: FastifyInstance, facade: Facade): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const list = {
    operationId: 'listServices',
    summary: 'Every service of the cluster with its instances',
    response: { 200: services, ...unauthorised },
  }
  typed.get(listUrl, { schema: list, onSend: answerWithEtag }, () => facade.services())

  const one = {
    operationId: 'getService',
    summary: 'One service, by id (shop:web) or by name when only one project has it (web)',
    params: serviceParams,
    response: {
      200: service,
      400: problemResponse('No possible id'),
      ...unauthorised,
      404: problemResponse('No such service is known here, or several are'),
    },
  }
  typed.get(oneUrl, { schema: one, onSend: answerWithEtag }, request => {
    const found = facade.service(request.params.service)
    if (found.kind === 'found') return found.service
    throw missing(request.params.service, found)
  })
  refuseOtherMethods(app, listUrl)
  refuseOtherMethods(app, oneUrl)
}

function missing(asked: string, found: Exclude<ServiceLookup, { readonly kind: 'found' }>): ProblemError {
  if (found.kind === 'absent') {
    const detail = `no service "${asked}" is known here; ${listUrl} lists those that are`
    return new ProblemError({ status: 404, code: 'SERVICE_UNKNOWN', detail })
  }
  const detail = `several projects have a service "${asked}": ask for one of ${found.ids.join(', ')}`
  return new ProblemError({ status: 404, code: 'SERVICE_AMBIGUOUS', detail })
}
