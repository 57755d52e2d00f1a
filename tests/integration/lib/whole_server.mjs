// A server that offers everything a server can, in either era, made with the SDKs over HTTP:
//   node whole_server.mjs modern|legacy PORT
// GET /seen says what reached it, and "aborted" for each call that was cancelled.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { answerLegacy, answerModern, bodyOf } from './sdk_http.mjs'

const [era, port] = process.argv.slice(2)
const modern = era === 'modern'
const seen = []
const sdk = modern ? await import('@modelcontextprotocol/server')
  : { ...await import('@modelcontextprotocol/sdk/server/mcp.js'), ...await import('@modelcontextprotocol/sdk/server/completable.js') }
const shape = (fields) => (modern ? z.object(fields) : fields)
const text = (words) => ({ content: [{ type: 'text', text: words }] })
const ASKS = {
  elicitation: { method: 'elicitation/create', params: { mode: 'form', message: 'Which city?',
    requestedSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } } },
  sampling: { method: 'sampling/createMessage', params: { maxTokens: 10, messages: [{ role: 'user', content: { type: 'text', text: 'A city, please' } }] } },
}

// What the eras do differently in the middle of a call.
const during = modern ? {
  signal: (ctx) => ctx.mcpReq.signal,
  progress: (ctx, params) => ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: ctx.mcpReq._meta?.progressToken, ...params } }),
  log: (ctx, level, words) => ctx.mcpReq.log(level, words, 'whole'),
  ask: async ({ mcpReq: { inputResponses: told } }, what) =>
    told ? text(JSON.stringify(told[what])) : sdk.inputRequired({ inputRequests: { [what]: ASKS[what] } }),
} : {
  signal: (ctx) => ctx.signal,
  progress: (ctx, params) => ctx.sendNotification({ method: 'notifications/progress', params: { progressToken: ctx._meta?.progressToken, ...params } }),
  log: (ctx, level, data) => ctx.sendNotification({ method: 'notifications/message', params: { level, logger: 'whole', data } }),
  ask: async (ctx, what) => text(JSON.stringify(await ctx.sendRequest(ASKS[what], z.object({}).passthrough()))),
}

function build() {
  const server = new sdk.McpServer({ name: 'whole', version: '1.0.0' }, { capabilities: { tools: {}, logging: {} } })
  server.registerTool('echo', { description: 'Says it back', inputSchema: shape({ text: z.string() }) }, async (args) => text(args.text))
  server.registerTool('steps', { description: 'Says how far it is', inputSchema: shape({}) }, async (_, ctx) => {
    for (let progress = 1; progress <= 3; progress++) await during.progress(ctx, { progress, total: 3, message: `step ${progress}` })
    await sleep(20)
    return text('arrived')
  })
  server.registerTool('sleep', { description: 'Takes a minute', inputSchema: shape({}) }, async (_, ctx) => {
    const signal = during.signal(ctx)
    await sleep(60000, undefined, { signal }).catch(() => seen.push('aborted'))
    return text('awake')
  })
  server.registerTool('tell', { description: 'Writes to its log', inputSchema: shape({}) }, async (_, ctx) => {
    for (const level of ['debug', 'error']) await during.log(ctx, level, `a line of level ${level}`)
    await sleep(20)
    return text('told')
  })
  server.registerTool('ask', { description: 'Asks its client', inputSchema: shape({ what: z.string() }) }, ({ what }, ctx) => during.ask(ctx, what))
  server.registerResource('note', 'whole://note', { mimeType: 'text/plain' }, async (uri) => ({ contents: [{ uri: uri.href, text: 'a note' }] }))
  const city = sdk.completable(z.string(), (begun) => ['Oslo', 'Ottawa', 'Paris'].filter((c) => c.startsWith(begun)))
  server.registerPrompt('visit', { description: 'A visit', argsSchema: shape({ city }) },
    async ({ city }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Let us go to ${city}` } }] }))
  return server
}

const answer = modern ? answerModern(sdk.createMcpHandler(build), port) : await answerLegacy((transport) => build().connect(transport))
createServer(async (req, res) => {
  if (req.url === '/seen') return res.end(JSON.stringify(seen))
  const body = await bodyOf(req)
  seen.push({ method: req.method, headers: req.headers, body })
  await answer(req, res, body)
}).listen(Number(port), '127.0.0.1')
