/**
 * Which service a container belongs to. Compose's own labels name it, `constellation.service` overrides, and a container
 * started by hand goes by its name. Invariant: the answer is always a valid service id, whatever the labels say.
 */
import { isServiceId, serviceId } from '../../kernel/units.ts'
import type { ServiceId } from '../../kernel/units.ts'
import { quoted } from './complaints.ts'
import type { Complain } from './complaints.ts'

export const serviceLabel = 'constellation.service'
export const composeProjectLabel = 'com.docker.compose.project'
export const composeServiceLabel = 'com.docker.compose.service'

/** The limit of each half of a service id. */
const partLengthMax = 128

export function identityOf(name: string, labels: Readonly<Record<string, string>>, complain: Complain): ServiceId {
  const wished = labels[serviceLabel]
  if (wished !== undefined) {
    if (isServiceId(wished)) return wished
    complain(`label ${serviceLabel}=${quoted(wished)} is no service id ("service" or "project:service"); ignored`)
  }
  const project = labels[composeProjectLabel]
  const service = labels[composeServiceLabel]
  const isCompose = project !== undefined && project !== '' && service !== undefined && service !== ''
  return isCompose
    ? serviceId(`${idPart(project, complain)}:${idPart(service, complain)}`)
    : serviceId(idPart(name, complain))
}

/** Sanitising can make two names one, and those would be balanced together; hence the complaint. */
function idPart(text: string, complain: Complain): string {
  const part = text
    .replaceAll(/[^\w.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, partLengthMax)
  const answer = part === '' ? 'unnamed' : part
  if (answer !== text) complain(`name ${quoted(text)} is not usable in a service id; ${quoted(answer)} is used instead`)
  return answer
}
