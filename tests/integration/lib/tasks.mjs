// A client that knows the extension for tasks: @modelcontextprotocol/ext-tasks over @modelcontextprotocol/client.
import { createTaskSessionFromClient } from '@modelcontextprotocol/ext-tasks/client'

export const TASKS = { 'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } } }
const VERSION = '2026-07-28'

// The host sends what the client's own schemas do not know: request ids and headers are its business.
export async function taskSession(gate, token, { capabilities = {}, ...options } = {}) {
  const client = await gate.modernClient(token, '/mcp', { pin: VERSION }, capabilities)
  const seen = []
  let id = 1000
  const rawDispatch = async ({ method, params }, { signal } = {}) => {
    const headers = gate.headers(token, { 'mcp-protocol-version': VERSION, 'mcp-method': method, 'mcp-name': params.taskId ?? params.name })
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params })
    const res = await fetch(`${gate.url}/mcp`, { method: 'POST', signal, headers, body })
    const answer = await res.json()
    seen.push({ method, ...answer })
    return answer.error ? { kind: 'error', error: answer.error } : { kind: 'result', result: answer.result }
  }
  const session = createTaskSessionFromClient(client, {
    endpointId: 'gate', rawDispatch, ...options,
    v2RequestFraming: { protocolVersion: VERSION, clientInfo: { name: 'test-tasks', version: '1.0.0' }, clientCapabilities: capabilities } })
  // The extension's session cancels what is still open when it is closed; a client that only goes closes `client`.
  const close = async () => {
    await session.close()
    await client.close()
  }
  return { session, client, seen, close }
}
