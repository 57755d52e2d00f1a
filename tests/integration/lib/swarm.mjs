// Many at once: servers, calls, sessions.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

export const swarm = (...args) => ({ command: ['python3', join(here, 'swarm_server.py'), ...args] })

// fn of every item, `width` at a time; the results in the order of the items.
export async function each(items, fn, width = 20) {
  const results = Array(items.length)
  let next = 0
  const worker = async () => {
    for (let i; (i = next++) < items.length;) results[i] = await fn(items[i], i)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker))
  return results
}

export const openMany = (gate, agentId, count) => each(Array(count).fill(agentId), async (id) => {
  const { status, json } = await gate.operator('POST', '/sessions', { agentId: id })
  if (status >= 300) throw new Error(JSON.stringify(json))
  return json
})

export const endMany = (gate, sessions) => each(sessions, async ({ sessionId }) => {
  const { status, json } = await gate.operator('POST', `/sessions/${sessionId}/end`, {})
  if (status >= 300) throw new Error(JSON.stringify(json))
})

// A legacy client comes, works and goes, and leaves nothing behind: a session, in it a protocol session with a log level of its own,
// `calls` calls, then both are ended. How many of the calls were answered as they should.
export async function visit(gate, agentId, tool, calls) {
  const { status, json: session } = await gate.operator('POST', '/sessions', { agentId, lifetime: '20s' })
  if (status >= 300) throw new Error(JSON.stringify(session))
  const send = async (method, params, headers = {}, verb = 'POST') => {
    const res = await fetch(`${gate.url}/mcp`, { method: verb, headers: gate.headers(session.access_token, { connection: 'close', ...headers }),
      body: verb === 'POST' ? JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) : undefined })
    const text = await res.text()
    return { status: res.status, headers: res.headers, json: text.startsWith('{') ? JSON.parse(text) : undefined }
  }
  const hello = await send('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'visitor', version: '1' } })
  const mine = { 'mcp-session-id': hello.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' }
  await send('logging/setLevel', { level: 'error' }, mine)
  let answered = 0
  for (let i = 0; i < calls; i++) {
    const { json } = await send('tools/call', { name: tool, arguments: { text: `visit ${i}` } }, mine)
    if (json?.result?.content?.[0]?.text === `visit ${i}`) answered++
  }
  const bye = await send(undefined, undefined, mine, 'DELETE')
  if (bye.status !== 204) throw new Error(`DELETE: ${bye.status}`)
  await endMany(gate, [session])
  return answered
}
