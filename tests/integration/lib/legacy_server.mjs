// A server of the 2025-11-25 revision made with the SDK 1.x, over HTTP with protocol sessions:
//   node legacy_server.mjs PORT [--json]
// The same tools as modern_server.mjs. GET /seen says what reached it, /sessions how many there are; POST /forget drops all its sessions.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { z } from 'zod'

const seen = []
const sessions = new Map()
const [port, mode] = process.argv.slice(2)

function build() {
  const server = new McpServer({ name: 'legacy-fixture', version: '1.0.0' })
  server.registerTool('echo', { description: 'Says it back', inputSchema: { text: z.string() } },
    async ({ text }) => ({ content: [{ type: 'text', text }] }))
  server.registerTool('structured', {
    description: 'Structured content', inputSchema: { n: z.number().int() }, outputSchema: { doubled: z.number() },
  }, async ({ n }) => ({ content: [{ type: 'text', text: String(n * 2) }], structuredContent: { doubled: n * 2 } }))
  server.registerTool('slow', { description: 'Takes its time, with progress', inputSchema: { steps: z.number().int(), ms: z.number().int() } },
    async ({ steps, ms }, extra) => {
      extra.signal.addEventListener('abort', () => seen.push('aborted'))
      const progressToken = extra._meta?.progressToken
      for (let i = 1; i <= steps && !extra.signal.aborted; i++) {
        await new Promise((done) => setTimeout(done, ms))
        if (progressToken !== undefined)
          await extra.sendNotification({ method: 'notifications/progress', params: { progressToken, progress: i, total: steps, message: `step ${i}` } })
      }
      seen.push('finished')
      return { content: [{ type: 'text', text: 'done' }] }
    })
  server.registerTool('fails', { description: 'Reports an error', inputSchema: {} },
    async () => ({ content: [{ type: 'text', text: 'it did not work' }], isError: true }))
  server.registerTool('pings', { description: 'Asks its client for a sign of life' }, async (extra) => {
    await extra.sendRequest({ method: 'ping' }, z.object({}).passthrough(), { timeout: 5000 })
    return { content: [{ type: 'text', text: 'it lives' }] }
  })
  return server
}

async function open() {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: () => randomUUID(), enableJsonResponse: mode === '--json',
    onsessioninitialized: (id) => sessions.set(id, transport), onsessionclosed: (id) => sessions.delete(id) })
  await build().connect(transport)
  return transport
}

createServer(async (req, res) => {
  if (req.url === '/seen') return res.end(JSON.stringify(seen))
  if (req.url === '/sessions') return res.end(String(sessions.size))
  if (req.url === '/forget') return sessions.clear(), res.end()
  const chunks = []
  for await (const c of req) chunks.push(c)
  const text = Buffer.concat(chunks).toString()
  const body = text ? JSON.parse(text) : undefined
  seen.push({ method: req.method, headers: req.headers, body })
  const id = req.headers['mcp-session-id']
  if (id && !sessions.has(id))
    return res.writeHead(404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null }))
  await (sessions.get(id) ?? await open()).handleRequest(req, res, body)
}).listen(Number(port), '127.0.0.1')
