// grpc-js with proto-loader as its documentation sets both up, without TLS: plain text on loopback, in its favour.
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const { bench } = grpc.loadPackageDefinition(loadSync(fileURLToPath(new URL('echo.proto', import.meta.url))))

/** @type {import('../suite/subject.js').Subject} */
export const grpcSubject = {
  serve() {
    const server = new grpc.Server()
    server.addService(bench.Echo.service, { echo: ({ request }, answer) => answer(null, request) })
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(String(port)) : reject(error),
      )
    })
  },
  async connect(address) {
    const client = new bench.Echo(`127.0.0.1:${address}`, grpc.credentials.createInsecure())
    const echo = (payload) =>
      new Promise((resolve, reject) => {
        client.echo(payload, (error, answer) => (error === null ? resolve(answer) : reject(error)))
      })
    return { echo }
  },
}
