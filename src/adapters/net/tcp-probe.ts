/** ports/tcp-probe.ts over node:net. */
import { Socket } from 'node:net'
import type { TcpProbe } from '../../ports/tcp-probe.ts'
import { errorCode } from './listen-error.ts'

/** The host's own kernel said no: somebody is there, nobody listens. */
const refusalCodes: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ECONNRESET'])

export const tcpProbe: TcpProbe = (address, timeoutMs) =>
  new Promise(resolve => {
    const socket = new Socket()
    const conclude = (verdict: Awaited<ReturnType<TcpProbe>>): void => {
      clearTimeout(late)
      socket.destroy()
      resolve(verdict)
    }
    const late = setTimeout(() => conclude('silent'), timeoutMs)
    socket.on('error', cause => conclude(refusalCodes.has(errorCode(cause)) ? 'refused' : 'silent'))
    try {
      socket.connect({ host: address.ip, port: address.port }, () => conclude('answers'))
    } catch {
      conclude('silent') // a port out of range
    }
  })
