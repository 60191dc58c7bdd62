// Sends connections to the real service's names to the server under test.
const net = require('net'), tls = require('tls')
const names = new Set(['login.microsoftonline.com', 'graph.microsoft.com'])
const [host, port] = (process.env.LICENSOR_ADDRESS ?? '').split(':')
for (const module of [net, tls]) {
  const real = module.connect
  module.connect = function (options, ...rest) {
    if (host && typeof options === 'object' && names.has(options.host)) {
      options = { ...options, servername: options.servername ?? options.host, host, port: Number(port) }
    }
    return real.call(this, options, ...rest)
  }
}
