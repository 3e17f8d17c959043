// The floor under every start: Node itself, which answers without a service.
const [, , , payload] = process.argv
console.log(payload)
