// A server over stdio that keeps a ledger: what it was told to do is in a file, whatever became of the answer.
//   node ledger_server.mjs FILE
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const file = process.argv[2]
const object = (properties, required = []) => ({ type: 'object', properties, required })
const tools = [
  // Writes a line at once, and answers `ms` later.
  { name: 'write', inputSchema: object({ line: { type: 'string' }, ms: { type: 'integer' } }, ['line']) },
  // Answers with the very bytes of the message that came.
  { name: 'raw', inputSchema: { type: 'object' } },
  { name: 'login', inputSchema: object({ user: { type: 'string' }, password: { type: 'string', minLength: 12 }, pin: { type: 'integer', maximum: 9999 } }, ['user', 'password']) },
  { name: 'deep', inputSchema: object({ customer: object({ age: { type: 'integer', maximum: 120 } }, ['age']) }) },
]

async function call({ name, arguments: args }, line) {
  if (name === 'write') {
    appendFileSync(file, `${args.line}\n`)
    await sleep(args.ms ?? 0)
  }
  return { content: [{ type: 'text', text: name === 'raw' ? line : 'done' }] }
}

async function answer({ method, params }, line) {
  if (method === 'initialize')
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'ledger', version: '1' } }
  if (method === 'tools/list') return { tools }
  if (method === 'tools/call') return call(params, line)
  return {}
}

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line)
  if (message.id === undefined) continue
  if (message.method === 'server/discover')
    console.log(JSON.stringify({ jsonrpc: '2.0', id: message.id, error: { code: -32601, message: 'Method not found' } }))
  else answer(message, line).then((result) => console.log(JSON.stringify({ jsonrpc: '2.0', id: message.id, result })))
}
process.exit() // whoever spoke to it is gone, and nobody waits for its answers
