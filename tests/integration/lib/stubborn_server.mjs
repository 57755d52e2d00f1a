// A server over stdio that says on standard error what happens to it, and so in the gate's log:
//   node stubborn_server.mjs polite | stubborn
// `call ID`, `cancelled ID`, `closed` (its standard input), `terminated` (SIGTERM). Its tool never answers. The polite one ends
// when it is told to; the stubborn one does not.
import { createInterface } from 'node:readline'

const stubborn = process.argv[2] === 'stubborn'
const say = (words) => process.stderr.write(`${words}\n`)
const answer = (id, rest) => console.log(JSON.stringify({ jsonrpc: '2.0', id, ...rest }))

process.on('SIGTERM', () => {
  say(`${process.pid} terminated`)
  if (!stubborn) process.exit()
})
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line)
  if (method === 'notifications/cancelled') say(`${process.pid} cancelled ${params.requestId}`)
  else if (method === 'tools/call') say(`${process.pid} call ${id}`)
  else if (method === 'initialize') answer(id, { result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } } })
  else if (method === 'tools/list') answer(id, { result: { tools: [{ name: 'hang', inputSchema: { type: 'object' } }] } })
  else if (id !== undefined) answer(id, { error: { code: -32601, message: 'Method not found' } })
}).on('close', () => {
  say(`${process.pid} closed`)
  if (!stubborn) process.exit()
})
if (stubborn) setInterval(() => {}, 1000)
