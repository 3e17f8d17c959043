// The client that start-up is timed against: grpc-js without TLS and with a service definition written by hand, since
// loading a .proto file takes longer. `start-grpc.mjs serve` is its service; otherwise one call, its answer to the standard
// output.
import grpc from '@grpc/grpc-js'

const serialize = (value) => Buffer.from(JSON.stringify(value))
const deserialize = (bytes) => JSON.parse(bytes.toString())
const definition = {
  echo: {
    path: '/bench.Echo/Echo',
    requestStream: false,
    responseStream: false,
    requestSerialize: serialize,
    requestDeserialize: deserialize,
    responseSerialize: serialize,
    responseDeserialize: deserialize,
  },
}

function serve() {
  const server = new grpc.Server()
  server.addService(definition, { echo: ({ request }, answer) => answer(null, request) })
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (_, port) => console.log(port))
}

function call(address, payload) {
  const Echo = grpc.makeClientConstructor(definition, 'Echo')
  const echo = new Echo(`127.0.0.1:${address}`, grpc.credentials.createInsecure())
  echo.echo(JSON.parse(payload), (error, answer) => {
    if (error !== null) throw error
    console.log(JSON.stringify(answer))
  })
}

const [, , address, payload] = process.argv
if (address === 'serve') serve()
else call(address, payload)
