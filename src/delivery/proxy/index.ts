export { createProxyServer, type ProxyParts, type ProxyServer } from './server.ts'
export { proxyOptionsDefault, type ProxyOptions } from './options.ts'
