// A server over stdio of whichever era a file says when it is started: node era_server.mjs ERA_FILE SEEN_FILE
//   legacy   ends when anything comes before `initialize`, as servers of some SDKs do
//   mute     a legacy one that says nothing to that
//   modern   knows no `initialize`
//   dual     knows both
// Each request is noted in SEEN_FILE. Tools: `fine`, and `die`, which ends the process.
import { appendFileSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const [eraFile, seenFile] = process.argv.slice(2)
const era = readFileSync(eraFile, 'utf8').trim()
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n')
const legacy = era === 'legacy' || era === 'mute'
let open = false

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) continue
  appendFileSync(seenFile, method + '\n')
  const modern = Boolean(params?._meta?.['io.modelcontextprotocol/protocolVersion'])
  const result = (more) => send({ id, result: { ...(modern && { resultType: 'complete' }), ...more } })
  if (method === 'initialize' && era !== 'modern') {
    open = true
    result({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'era', version: era } })
  } else if (legacy && !open) {
    if (era === 'legacy') process.exit(1)
  } else if (method === 'server/discover' && !legacy) {
    result({ supportedVersions: ['2026-07-28'], capabilities: { tools: {} } })
  } else if (method === 'tools/list') {
    result({ tools: ['fine', 'die'].map((name) => ({ name, inputSchema: { type: 'object' } })) })
  } else if (method === 'tools/call' && (modern || open)) {
    if (params.name === 'die') process.exit(0)
    result({ content: [{ type: 'text', text: modern ? 'modern' : 'legacy' }] })
  } else {
    send({ id, error: { code: -32601, message: 'Method not found' } })
  }
}
