// A server of the 2026-07-28 revision made with the SDK, over HTTP or stdio:
//   node modern_server.mjs http PORT [--json|--sse]     node modern_server.mjs stdio
// Its tools say what reached it, so that a test can see what crossed the gate.
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { createServer } from 'node:http'
import { z } from 'zod'

const seen = []

function build() {
  const server = new McpServer({ name: 'modern-fixture', version: '1.0.0' }, { capabilities: { tools: {} } })
  server.registerTool('echo', { description: 'Says it back', inputSchema: z.object({ text: z.string() }) },
    async ({ text }) => ({ content: [{ type: 'text', text }] }))
  server.registerTool('structured', {
    description: 'Structured content', inputSchema: z.object({ n: z.number().int() }),
    outputSchema: z.object({ doubled: z.number() }),
  }, async ({ n }) => ({ content: [{ type: 'text', text: String(n * 2) }], structuredContent: { doubled: n * 2 } }))
  server.registerTool('slow', { description: 'Takes its time, with progress', inputSchema: z.object({ steps: z.number().int(), ms: z.number().int() }) },
    async ({ steps, ms }, ctx) => {
      ctx.mcpReq.signal.addEventListener('abort', () => seen.push('aborted'))
      const progressToken = ctx.mcpReq._meta?.progressToken
      for (let i = 1; i <= steps; i++) {
        await new Promise((done) => setTimeout(done, ms))
        if (ctx.mcpReq.signal.aborted) return { content: [{ type: 'text', text: 'aborted' }], isError: true }
        if (progressToken !== undefined)
          await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: i, total: steps, message: `step ${i}` } })
      }
      return { content: [{ type: 'text', text: 'done' }] }
    })
  server.registerTool('fails', { description: 'Reports an error', inputSchema: z.object({}) },
    async () => ({ content: [{ type: 'text', text: 'it did not work' }], isError: true }))
  return server
}

const [how, port, mode] = process.argv.slice(2)
if (how === 'stdio') {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio')
  await serveStdio(build)
} else {
  const handler = createMcpHandler(build, mode ? { responseMode: mode.slice(2) } : {})
  createServer(async (req, res) => {
    if (req.url === '/seen') {
      res.end(JSON.stringify(seen))
      return
    }
    const chunks = []
    for await (const c of req) chunks.push(c)
    const body = Buffer.concat(chunks)
    seen.push({ method: req.method, headers: req.headers, body: body.length ? JSON.parse(body) : null })
    const abort = new AbortController()
    res.on('close', () => abort.abort())
    const request = new Request(`http://127.0.0.1:${port}${req.url}`, {
      method: req.method, headers: req.headers, body: body.length ? body : undefined, signal: abort.signal })
    const answer = await handler.fetch(request)
    res.writeHead(answer.status, Object.fromEntries(answer.headers))
    res.flushHeaders()
    if (answer.body) for await (const part of answer.body) res.write(part)
    res.end()
  }).listen(Number(port), '127.0.0.1')
}
