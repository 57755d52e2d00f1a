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
