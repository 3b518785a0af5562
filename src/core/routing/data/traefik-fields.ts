/**
 * Every field Traefik v3 accepts in its dynamic configuration, by type, with the first release that has it. Data only.
 *
 * Facts (names, types, first releases) taken from the Go structures of github.com/traefik/traefik at its 75 stable tags
 * v3.0.0 to v3.7.9 (MIT licence); no source text is included. test/data/traefik/README.md says how it is checked.
 *
 * A field reads `name type`, then `?` when an empty object is accepted, then `@release` when v3.0.0 did not have it.
 * `[T]` is a list of T, `{T}` a map from names to T. `fileOrContent` is a path or PEM text.
 */
export const traefikFields: Readonly<Record<string, string>> = {
  Configuration: 'http HTTPConfiguration, tcp TCPConfiguration, udp UDPConfiguration, tls TLSConfiguration',
  HTTPConfiguration:
    'routers {Router}, services {Service}, middlewares {Middleware}, models {Model}, ' +
    'serversTransports {ServersTransport}',
  TCPConfiguration:
    'routers {TCPRouter}, services {TCPService}, middlewares {TCPMiddleware}, ' +
    'serversTransports {TCPServersTransport}',
  UDPConfiguration: 'routers {UDPRouter}, services {UDPService}',
  TLSConfiguration: 'certificates [CertAndStores], options {Options}, stores {Store}',
  Router:
    'entryPoints [string], middlewares [string], service string, rule string, ruleSyntax string, priority int, ' +
    'tls RouterTLSConfig?, observability RouterObservabilityConfig@3.3.0, parentRefs [string]@3.6.0',
  Service:
    'loadBalancer ServersLoadBalancer, weighted WeightedRoundRobin, mirroring Mirroring, failover Failover, ' +
    'highestRandomWeight HighestRandomWeight@3.6.0, middlewares [string]@3.7.0',
  Middleware:
    'addPrefix AddPrefix, stripPrefix StripPrefix, stripPrefixRegex StripPrefixRegex, replacePath ReplacePath, ' +
    'replacePathRegex ReplacePathRegex, chain Chain, ipWhiteList IPWhiteList, ipAllowList IPAllowList, ' +
    'headers Headers, errors ErrorPage, rateLimit RateLimit, redirectRegex RedirectRegex, ' +
    'redirectScheme RedirectScheme, basicAuth BasicAuth, digestAuth DigestAuth, forwardAuth ForwardAuth, ' +
    'inFlightReq InFlightReq, buffering Buffering, circuitBreaker CircuitBreaker, compress Compress?, ' +
    'passTLSClientCert PassTLSClientCert, retry Retry, contentType ContentType?, grpcWeb GrpcWeb, ' +
    'plugin {any}, encodedCharacters EncodedCharacters@3.7.0',
  Model: 'middlewares [string], tls RouterTLSConfig?, observability RouterObservabilityConfig@3.3.0',
  ServersTransport:
    'serverName string, insecureSkipVerify bool, rootCAs [fileOrContent], certificates [Certificate], ' +
    'maxIdleConnsPerHost int, forwardingTimeouts ForwardingTimeouts, disableHTTP2 bool, peerCertURI string, ' +
    'spiffe Spiffe?, cipherSuites [string]@3.7.0, minVersion string@3.7.0, maxVersion string@3.7.0',
  TCPRouter:
    'entryPoints [string], middlewares [string], service string, rule string, ruleSyntax string, priority int, ' +
    'tls RouterTCPTLSConfig?',
  TCPService: 'loadBalancer TCPServersLoadBalancer, weighted TCPWeightedRoundRobin',
  TCPMiddleware: 'inFlightConn TCPInFlightConn, ipWhiteList TCPIPWhiteList, ipAllowList TCPIPAllowList',
  TCPServersTransport:
    'dialKeepAlive duration, dialTimeout duration, terminationDelay duration, tls TLSClientConfig?, ' +
    'proxyProtocol ProxyProtocol?@3.5.2',
  UDPRouter: 'entryPoints [string], service string',
  UDPService: 'loadBalancer UDPServersLoadBalancer, weighted UDPWeightedRoundRobin',
  CertAndStores: 'certFile fileOrContent, keyFile fileOrContent, stores [string]',
  Options:
    'minVersion string, maxVersion string, cipherSuites [string], curvePreferences [string], ' +
    'clientAuth ClientAuth, sniStrict bool, alpnProtocols [string], preferServerCipherSuites bool, ' +
    'disableSessionTickets bool@3.4.0',
  Store: 'defaultCertificate Certificate, defaultGeneratedCert GeneratedCert',
  RouterTLSConfig: 'options string, certResolver string, domains [Domain]',
  RouterObservabilityConfig:
    'accessLogs bool@3.3.0, tracing bool@3.3.0, metrics bool@3.3.0, traceVerbosity string@3.5.0',
  ServersLoadBalancer:
    'sticky Sticky?, servers [Server], healthCheck ServerHealthCheck, passHostHeader bool, ' +
    'responseForwarding ResponseForwarding, serversTransport string, strategy string@3.4.0, ' +
    'passiveHealthCheck PassiveServerHealthCheck@3.6.0',
  WeightedRoundRobin: 'services [WRRService], sticky Sticky, healthCheck HealthCheck?',
  Mirroring:
    'service string, maxBodySize int, mirrors [MirrorService], healthCheck HealthCheck?, mirrorBody bool@3.2.0',
  Failover: 'service string, fallback string, healthCheck HealthCheck?, errors FailoverError@3.7.0',
  HighestRandomWeight: 'services [HRWService]@3.6.0, healthCheck HealthCheck?@3.6.0',
  AddPrefix: 'prefix string',
  StripPrefix: 'prefixes [string], forceSlash bool',
  StripPrefixRegex: 'regex [string]',
  ReplacePath: 'path string',
  ReplacePathRegex: 'regex string, replacement string',
  Chain: 'middlewares [string]',
  IPWhiteList: 'sourceRange [string], ipStrategy IPStrategy?',
  IPAllowList: 'sourceRange [string], ipStrategy IPStrategy?, rejectStatusCode int?',
  Headers:
    'customRequestHeaders {string}, customResponseHeaders {string}, accessControlAllowCredentials bool, ' +
    'accessControlAllowHeaders [string], accessControlAllowMethods [string], ' +
    'accessControlAllowOriginList [string], accessControlAllowOriginListRegex [string], ' +
    'accessControlExposeHeaders [string], accessControlMaxAge int, addVaryHeader bool, allowedHosts [string], ' +
    'hostsProxyHeaders [string], sslProxyHeaders {string}, stsSeconds int, stsIncludeSubdomains bool, ' +
    'stsPreload bool, forceSTSHeader bool, frameDeny bool, customFrameOptionsValue string, ' +
    'contentTypeNosniff bool, browserXssFilter bool, customBrowserXSSValue string, ' +
    'contentSecurityPolicy string, publicKey string, referrerPolicy string, permissionsPolicy string, ' +
    'isDevelopment bool, featurePolicy string, sslRedirect bool, sslTemporaryRedirect bool, sslHost string, ' +
    'sslForceHost bool, contentSecurityPolicyReportOnly string@3.1.0',
  ErrorPage:
    'status [string], service string, query string, statusRewrites {int}@3.4.0, ' +
    'errorRequestHeaders [string]@3.6.15',
  RateLimit: 'average int, period duration, burst int, sourceCriterion SourceCriterion, redis Redis@3.4.0',
  RedirectRegex: 'regex string, replacement string, permanent bool',
  RedirectScheme: 'scheme string, port string, permanent bool',
  BasicAuth: 'users [string], usersFile string, realm string, removeHeader bool, headerField string',
  DigestAuth: 'users [string], usersFile string, removeHeader bool, realm string, headerField string',
  ForwardAuth:
    'address string, tls ClientTLS, trustForwardHeader bool, authResponseHeaders [string], ' +
    'authResponseHeadersRegex string, authRequestHeaders [string], addAuthCookiesToResponse [string], ' +
    'headerField string@3.2.0, forwardBody bool@3.3.0, maxBodySize int@3.3.0, ' +
    'preserveLocationHeader bool@3.3.0, preserveRequestMethod bool@3.4.0, maxResponseBodySize int@3.6.9, ' +
    'authSigninURL string@3.7.0',
  InFlightReq: 'amount int, sourceCriterion SourceCriterion',
  Buffering:
    'maxRequestBodyBytes int, memRequestBodyBytes int, maxResponseBodyBytes int, memResponseBodyBytes int, ' +
    'retryExpression string',
  CircuitBreaker:
    'expression string, checkPeriod duration, fallbackDuration duration, recoveryDuration duration, ' +
    'responseCode int',
  Compress:
    'excludedContentTypes [string], includedContentTypes [string], minResponseBodyBytes int, ' +
    'defaultEncoding string@3.0.2, encodings [string]@3.2.0',
  PassTLSClientCert: 'pem bool, info TLSClientCertificateInfo',
  Retry:
    'attempts int, initialInterval duration, timeout duration@3.7.0, maxRequestBodyBytes int@3.7.0, ' +
    'status [string]@3.7.0, disableRetryOnNetworkError bool@3.7.0, retryNonIdempotentMethod bool@3.7.0',
  ContentType: 'autoDetect bool',
  GrpcWeb: 'allowOrigins [string]',
  EncodedCharacters:
    'allowEncodedSlash bool@3.7.0, allowEncodedBackSlash bool@3.7.0, allowEncodedNullCharacter bool@3.7.0, ' +
    'allowEncodedSemicolon bool@3.7.0, allowEncodedPercent bool@3.7.0, allowEncodedQuestionMark bool@3.7.0, ' +
    'allowEncodedHash bool@3.7.0',
  Certificate: 'certFile fileOrContent, keyFile fileOrContent',
  ForwardingTimeouts:
    'dialTimeout duration, responseHeaderTimeout duration, idleConnTimeout duration, readIdleTimeout duration, ' +
    'pingTimeout duration',
  Spiffe: 'ids [string], trustDomain string',
  RouterTCPTLSConfig: 'passthrough bool, options string, certResolver string, domains [Domain]',
  TCPServersLoadBalancer:
    'proxyProtocol ProxyProtocol?, servers [TCPServer], serversTransport string, terminationDelay int, ' +
    'healthCheck TCPServerHealthCheck?@3.6.0',
  TCPWeightedRoundRobin: 'services [TCPWRRService], healthCheck HealthCheck?@3.6.0',
  TCPInFlightConn: 'amount int',
  TCPIPWhiteList: 'sourceRange [string]',
  TCPIPAllowList: 'sourceRange [string]',
  TLSClientConfig:
    'serverName string, insecureSkipVerify bool, rootCAs [fileOrContent], certificates [Certificate], ' +
    'peerCertURI string, spiffe Spiffe?',
  ProxyProtocol: 'version int',
  UDPServersLoadBalancer: 'servers [UDPServer]',
  UDPWeightedRoundRobin: 'services [UDPWRRService]',
  ClientAuth: 'caFiles [fileOrContent], clientAuthType string',
  GeneratedCert: 'resolver string, domain Domain',
  Domain: 'main string, sans [string]',
  Sticky: 'cookie Cookie?',
  Server: 'url string, weight int, preservePath bool@3.2.0',
  ServerHealthCheck:
    'scheme string, mode string, path string, method string, status int, port int, interval duration, ' +
    'timeout duration, hostname string, followRedirects bool, headers {string}, ' +
    'unhealthyInterval duration@3.5.0',
  ResponseForwarding: 'flushInterval duration',
  PassiveServerHealthCheck: 'failureWindow duration@3.6.0, maxFailedAttempts int@3.6.0',
  WRRService: 'name string, weight int',
  MirrorService: 'name string, percent int',
  FailoverError: 'maxRequestBodyBytes int@3.7.0, status [string]@3.7.0',
  HRWService: 'name string@3.6.0, weight int@3.6.0',
  IPStrategy: 'depth int, excludedIPs [string], ipv6Subnet int@3.2.0',
  SourceCriterion: 'ipStrategy IPStrategy, requestHeaderName string, requestHost bool',
  Redis:
    'endpoints [string]@3.4.0, tls ClientTLS@3.4.0, username string@3.4.0, password string@3.4.0, ' +
    'db int@3.4.0, poolSize int@3.4.0, minIdleConns int@3.4.0, maxActiveConns int@3.4.0, ' +
    'readTimeout duration@3.4.0, writeTimeout duration@3.4.0, dialTimeout duration@3.4.0',
  ClientTLS: 'ca string, cert string, key string, insecureSkipVerify bool, caOptional bool',
  TLSClientCertificateInfo:
    'notAfter bool, notBefore bool, sans bool, serialNumber bool, subject TLSClientCertificateSubjectDNInfo, ' +
    'issuer TLSClientCertificateIssuerDNInfo',
  TCPServer: 'address string, tls bool',
  TCPServerHealthCheck:
    'port int@3.6.0, send string@3.6.0, expect string@3.6.0, interval duration@3.6.0, ' +
    'unhealthyInterval duration@3.6.0, timeout duration@3.6.0',
  TCPWRRService: 'name string, weight int',
  UDPServer: 'address string',
  UDPWRRService: 'name string, weight int',
  Cookie:
    'name string, secure bool, httpOnly bool, sameSite string, maxAge int, path string@3.3.0, ' +
    'domain string@3.4.0',
  TLSClientCertificateSubjectDNInfo:
    'country bool, province bool, locality bool, organization bool, organizationalUnit bool, commonName bool, ' +
    'serialNumber bool, domainComponent bool',
  TLSClientCertificateIssuerDNInfo:
    'country bool, province bool, locality bool, organization bool, commonName bool, serialNumber bool, ' +
    'domainComponent bool',
  HealthCheck: '',
}

/** A value of these types names exactly one of these fields, its kind; Traefik disables it otherwise. */
export const traefikKinds: Readonly<Record<string, readonly string[]>> = {
  Service: ['loadBalancer', 'highestRandomWeight', 'weighted', 'mirroring', 'failover'],
  TCPService: ['loadBalancer', 'weighted'],
  UDPService: ['loadBalancer', 'weighted'],
  Middleware: [
    'addPrefix', 'stripPrefix', 'stripPrefixRegex', 'replacePath', 'replacePathRegex', 'chain', 'ipWhiteList',
    'ipAllowList', 'headers', 'errors', 'rateLimit', 'redirectRegex', 'redirectScheme', 'basicAuth', 'digestAuth',
    'forwardAuth', 'inFlightReq', 'buffering', 'circuitBreaker', 'compress', 'passTLSClientCert', 'retry',
    'contentType', 'grpcWeb', 'plugin', 'encodedCharacters',
  ],
  TCPMiddleware: ['inFlightConn', 'ipWhiteList', 'ipAllowList'],
}
