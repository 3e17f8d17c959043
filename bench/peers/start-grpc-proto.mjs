// As start-grpc.mjs, with the service definition loaded as the documentation of grpc-js shows it first.
import { fileURLToPath } from 'node:url'
import grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const [, , address, payload] = process.argv
const { bench } = grpc.loadPackageDefinition(loadSync(fileURLToPath(new URL('echo.proto', import.meta.url))))
const echo = new bench.Echo(`127.0.0.1:${address}`, grpc.credentials.createInsecure())
echo.echo(JSON.parse(payload), (error, answer) => {
  if (error !== null) throw error
  console.log(JSON.stringify(answer))
})
