// A server that asks its client something in the middle of a call, in both eras, made with the SDKs:
//   node asking_server.mjs modern PORT | legacy PORT | modern-stdio | legacy-stdio
// The tool `ask` asks for everything in `what`, `rounds` times, and answers with what it was told. Over HTTP GET /seen says
// what reached the server. The legacy one has two more: `login` needs URLs to be opened first, unless `finish` said that this is
// done; `roots` answers with the client's roots once the client has said that they changed.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { answerLegacy, answerModern, bodyOf } from './sdk_http.mjs'

const [how, port] = process.argv.slice(2)
const modern = how.startsWith('modern')
const seen = []

const REQUESTS = {
  form: { method: 'elicitation/create', params: { mode: 'form', message: 'Your name?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } } },
  url: { method: 'elicitation/create', params: { mode: 'url', message: 'Please log in', url: 'https://example.com/login',
    ...(modern ? {} : { elicitationId: 'login-1' }) } },
  sampling: { method: 'sampling/createMessage', params: { maxTokens: 10, messages: [{ role: 'user', content: { type: 'text', text: 'Say hello' } }] } },
  roots: { method: 'roots/list' },
}
const text = (words) => ({ content: [{ type: 'text', text: words }] })
const ASK = { what: z.array(z.string()), rounds: z.number().int().optional(), alone: z.boolean().optional(), patience: z.number().optional(), progress: z.boolean().optional() }

async function buildModern() {
  const { McpServer, inputRequired } = await import('@modelcontextprotocol/server')
  return () => {
    const server = new McpServer({ name: 'asking', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.registerTool('ask', { description: 'Asks its client', inputSchema: z.object(ASK) }, async ({ what, rounds = 1 }, ctx) => {
      const state = ctx.mcpReq.requestState()
      const round = state ? Number(state.split('-')[1]) : 0
      if (round >= rounds) return text(JSON.stringify(ctx.mcpReq.inputResponses ?? {}))
      return inputRequired({ inputRequests: Object.fromEntries(what.map((w) => [w, REQUESTS[w]])), requestState: `round-${round + 1}` })
    })
    server.registerTool('can', { description: 'What the client said it can', inputSchema: z.object({}) }, async (_, ctx) =>
      text(JSON.stringify(ctx.mcpReq.envelope['io.modelcontextprotocol/clientCapabilities'])))
    return server
  }
}

async function buildLegacy() {
  const { McpServer } = await import('@modelcontextprotocol/sdk/server/mcp.js')
  const { RootsListChangedNotificationSchema, UrlElicitationRequiredError } = await import('@modelcontextprotocol/sdk/types.js')
  return () => {
    let done, roots
    const server = new McpServer({ name: 'asking', version: '1.0.0' }, { capabilities: { tools: {} } })
    server.registerTool('ask', { description: 'Asks its client', inputSchema: ASK }, async ({ what, rounds = 1, alone, progress, patience: timeout }, extra) => {
      extra.signal.addEventListener('abort', () => seen.push('aborted'))
      const any = z.object({}).passthrough()
      const ask = (w) => (alone ? server.server.request(REQUESTS[w], any, { timeout }) : extra.sendRequest(REQUESTS[w], any, { timeout })).catch((e) => ({ error: e.message }))
      const tell = (n) => progress && extra.sendNotification({ method: 'notifications/progress', params: { progressToken: extra._meta.progressToken, progress: n } })
      let answers
      await tell(1)
      for (let i = 0; i < rounds; i++) answers = await Promise.all(what.map(ask))
      await tell(2)
      if (progress) await sleep(20)
      return text(JSON.stringify(Object.fromEntries(what.map((w, i) => [w, answers[i]]))))
    })
    server.registerTool('login', { description: 'Wants a URL to be opened', inputSchema: { id: z.string() } }, async ({ id }) => {
      if (done === id) return text('logged in')
      throw new UrlElicitationRequiredError([{ mode: 'url', elicitationId: id, message: 'Please log in', url: 'https://example.com/login' }], 'Log in first')
    })
    server.registerTool('finish', { description: 'What was opened is over', inputSchema: { id: z.string() } }, async ({ id }) => {
      done = id
      await server.server.notification({ method: 'notifications/elicitation/complete', params: { elicitationId: id } })
      return text('finished')
    })
    server.server.setNotificationHandler(RootsListChangedNotificationSchema, () => void (roots = server.server.listRoots()))
    server.registerTool('roots', { description: 'The roots after a change', inputSchema: {} }, async () => {
      for (let i = 0; i < 200 && !roots; i++) await sleep(10)
      const { roots: listed } = await (roots ?? { roots: 'it was never told' })
      roots = undefined
      return text(JSON.stringify(listed))
    })
    server.registerTool('can', { description: 'What the client said it can', inputSchema: {} }, async () =>
      text(JSON.stringify(server.server.getClientCapabilities())))
    return server
  }
}

const build = await (modern ? buildModern() : buildLegacy())
if (how === 'modern-stdio') {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio')
  await serveStdio(build)
} else if (how === 'legacy-stdio') {
  const { StdioServerTransport } = await import('@modelcontextprotocol/sdk/server/stdio.js')
  await build().connect(new StdioServerTransport())
} else {
  const answer = modern ? answerModern((await import('@modelcontextprotocol/server')).createMcpHandler(build), port)
                        : await answerLegacy((transport) => build().connect(transport))
  createServer(async (req, res) => {
    if (req.url === '/seen') return res.end(JSON.stringify(seen))
    const body = await bodyOf(req)
    seen.push({ method: req.method, headers: req.headers, body })
    await answer(req, res, body)
  }).listen(Number(port), '127.0.0.1')
}
