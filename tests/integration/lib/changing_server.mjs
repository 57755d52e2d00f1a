// A server whose lists change while it runs, in both eras, made with the SDKs:
//   node changing_server.mjs modern PORT        @modelcontextprotocol/server 2.4 over HTTP
//   node changing_server.mjs legacy PORT        @modelcontextprotocol/sdk 1.x over HTTP with protocol sessions
//   node changing_server.mjs modern-stdio | legacy-stdio
// The tool `grow` adds a tool of the given name; `touch` says that a resource was updated; `talk` and `tell` write to the log. Over
// HTTP, GET /grow?NAME and GET /touch?URI do the same from the outside, as when somebody changes the server.
import { createServer } from 'node:http'
import { z } from 'zod'
import { answerLegacy, answerModern, bodyOf } from './sdk_http.mjs'

const [how, port] = process.argv.slice(2)
const modern = how.startsWith('modern')
const { McpServer, createMcpHandler } = modern ? await import('@modelcontextprotocol/server') : await import('@modelcontextprotocol/sdk/server/mcp.js')
const grown = []
const open = new Set() // servers of the SDK that are connected
const shape = (fields) => (modern ? z.object(fields) : fields)
let tellGrown, tellTouched

const text = (words) => ({ content: [{ type: 'text', text: words }] })
const tool = (server, name) => server.registerTool(name, { description: `The tool ${name}`, inputSchema: shape({}) }, async () => text(name))

function grow(name) {
  grown.push(name)
  if (modern && port) tellGrown()
  else for (const server of open) tool(server, name) // which tells its client
}

function touch(uri) {
  if (modern && port) return tellTouched(uri)
  for (const server of open)
    if (!server.subscribed || server.subscribed.has(uri)) server.server.sendResourceUpdated({ uri })
}

function build() {
  const server = new McpServer({ name: 'changing', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {} } })
  server.registerTool('grow', { description: 'Adds a tool', inputSchema: shape({ name: z.string() }) }, async ({ name }) => {
    grow(name)
    return text(`there is ${name} now`)
  })
  server.registerTool('touch', { description: 'Updates a resource', inputSchema: shape({ uri: z.string() }) }, async ({ uri }) => {
    touch(uri)
    return text('touched')
  })
  server.registerTool('talk', { description: 'Writes to the log', inputSchema: shape({}) }, async (_, ctx) => {
    for (const level of ['debug', 'info', 'error'])
      if (modern) await ctx.mcpReq.log(level, `a line of level ${level}`, 'talk')
      else await server.sendLoggingMessage({ level, logger: 'talk', data: `a line of level ${level}` }, ctx.sessionId)
    return text('talked')
  })
  // The same as part of the call; a legacy server sends it on the call's own stream then.
  server.registerTool('tell', { description: 'Writes to the log of the call', inputSchema: shape({}) }, async (_, ctx) => {
    for (const level of ['debug', 'info', 'error'])
      if (modern) await ctx.mcpReq.log(level, `a line of level ${level}`, 'tell')
      else await ctx.sendNotification({ method: 'notifications/message', params: { level, logger: 'tell', data: `a line of level ${level}` } })
    return text('told')
  })
  for (const name of grown) tool(server, name)
  for (const uri of ['change://one', 'change://two'])
    server.registerResource(uri.slice(9), uri, { mimeType: 'text/plain' }, async () => ({ contents: [{ uri, text: 'now' }] }))
  return server
}

async function legacy(transport) {
  const { SubscribeRequestSchema, UnsubscribeRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
  const server = build()
  server.subscribed = new Set()
  server.server.setRequestHandler(SubscribeRequestSchema, async ({ params }) => (server.subscribed.add(params.uri), {}))
  server.server.setRequestHandler(UnsubscribeRequestSchema, async ({ params }) => (server.subscribed.delete(params.uri), {}))
  open.add(server)
  server.server.onclose = () => open.delete(server)
  await server.connect(transport)
}

const seen = []
async function serve(answer) {
  createServer(async (req, res) => {
    const url = new URL(req.url, 'http://localhost')
    const argument = decodeURIComponent(url.search.slice(1))
    if (url.pathname === '/seen') return res.end(JSON.stringify(seen))
    if (url.pathname === '/grow') return grow(argument), res.end()
    if (url.pathname === '/touch') return touch(argument), res.end()
    const body = await bodyOf(req)
    seen.push({ method: req.method, headers: req.headers, body })
    await answer(req, res, body)
  }).listen(Number(port), '127.0.0.1')
}

if (how === 'modern') {
  const handler = createMcpHandler(build)
  tellGrown = () => handler.notify.toolsChanged()
  tellTouched = (uri) => handler.notify.resourceUpdated(uri)
  await serve(answerModern(handler, port))
} else if (how === 'legacy') {
  await serve(await answerLegacy(legacy))
} else if (how === 'modern-stdio') {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio')
  await serveStdio(() => {
    const server = build()
    open.add(server)
    return server
  })
} else {
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js')
  await legacy(new StdioServerTransport())
}
